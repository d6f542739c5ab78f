/** The text of a message that could not be taken, made fit to be kept. */
import { withoutCommandSecrets } from './command-line.ts';
import { cleanJson } from './record-clean.ts';
import { redactText } from './redaction.ts';

/** A dead-letter queue's message round one of SNS round an event; nobody packs deeper. */
const mostWrappings = 4;

/**
 * The text without its secrets, by the same rules as an alert that is stored; it is read as it was read before. JSON goes by its keys,
 * also where it stands in a string of other JSON (SNS). Of other text only what looks like a secret can be found. Never throws.
 */
export function letterWithoutSecrets(text: string, wrappings = mostWrappings): string {
  const value = wrappings > 0 && /^\s*[[{]/.test(text) ? parsed(text) : undefined;
  if (value === undefined) return redactText(text);
  const { body } = withoutCommandSecrets(cleanJson({ body: value })) as { readonly body: unknown };
  return JSON.stringify(body, (_key, item) =>
    typeof item === 'string' ? letterWithoutSecrets(item, wrappings - 1) : item,
  );
}

/** Undefined where the text is no JSON, or nests beyond what the engine can take. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}
