/** The signals of an attack sequence on its card: what happened, in order. */
import type { Alert, AlertSignal } from '../contracts/alert.ts';
import type { Inline, Line, Part } from '../contracts/message.ts';
import { inert } from './inert.ts';
import { count } from './phrases.ts';

/** A sequence may have 100; the first ones tell how they got in, the last ones where they are. */
const shownFirst = 6;
const shownLast = 4;

/** `FINDING`, `CLOUD_TRAIL` as words; an unknown kind stands as it is. */
const kinds: Readonly<Record<string, string>> = {
  FINDING: 'finding',
  CLOUD_TRAIL: 'API calls',
  S3_DATA_EVENTS: 'S3 data',
  EKS_AUDIT_LOGS: 'Kubernetes',
  FLOW_LOGS: 'network',
  DNS_LOGS: 'DNS',
  RUNTIME_MONITORING: 'process',
};

function text(words: string): Inline {
  return { kind: 'text', text: words };
}

function signalLine(signal: AlertSignal): Line {
  const { firstSeen, name, type, indicators } = signal;
  const line: Inline[] = firstSeen === undefined ? [] : [{ kind: 'date', at: firstSeen }, text(', ')];
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : inert(type, 40);
  line.push({ kind: 'code', text: inert(name, 100) }, text(` (${kind})`));
  // A tactic says more than the list of every call.
  const told = indicators.filter((one) => /^(?:ATTACK_TACTIC|ATTACK_TECHNIQUE|TOR_IP|MALICIOUS_)/.test(one));
  const [first] = told.length > 0 ? told : indicators;
  if (first !== undefined) line.push(text(`, ${inert(first.replaceAll('_', ' ').toLowerCase(), 100)}`));
  return line;
}

/** Undefined where the alert has no signals. */
export function signalList({ signals = [] }: Alert): readonly Part[] | undefined {
  if (signals.length === 0) return undefined;
  const cutAt = signals.length > shownFirst + shownLast + 1;
  const shown = cutAt ? [...signals.slice(0, shownFirst), ...signals.slice(-shownLast)] : signals;
  const left = signals.length - shown.length;
  const items = shown.map(signalLine);
  if (left > 0) items.splice(shownFirst, 0, [text(`${count(left, 'signal')} between them`)]);
  return [
    { kind: 'lines', lines: [[{ kind: 'text', text: `${count(signals.length, 'signal')}, in order:`, bold: true }]] },
    { kind: 'list', items, ordered: left === 0 },
  ];
}
