/** Command lines in what came: products quote what a process was started with, passwords and all (DOMAIN.md 2.2). */
import { redactCommandLine } from '../domain/command-line.ts';
import { isRecord, type Json } from './clean-json.ts';

/** `commandLineExample`, `aws/guardduty/service/runtimeDetails/context/commandLineExample`, `proc.cmdline`, Falco's `output`. */
const commandKey = /command|cmd|\bargs$|arguments$|^output$/i;

/** A copy whose command lines hold no secrets; what stands under no such key stays as it is. */
export function withoutCommandSecrets(value: Json, quoted = false): Json {
  if (typeof value === 'string') return quoted ? redactCommandLine(value) : value;
  if (Array.isArray(value)) return value.map((item: Json) => withoutCommandSecrets(item, quoted));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutCommandSecrets(item, quoted || commandKey.test(key))]),
  );
}
