/**
 * Finds the artifacts in running text: a pasted e-mail, a ticket, a hunch, the strings of any JSON (DOMAIN.md 2.10). Takes
 * the forms in which people make text harmless: `hxxp`, `[.]`, `(dot)`, Slack's links. Pure; never throws.
 */
import type { Artifact } from '../contracts/artifact.ts';
import { UserError } from '../contracts/errors.ts';
import { accountOfKeyId } from './access-key.ts';
import { parseIp } from './address.ts';
import { parseArnStrict } from './arn.ts';
import { classify } from './artifact.ts';

export interface FoundArtifact extends Artifact {
  /** `IAM user alice in account 111122223333`: holds text from outside. */
  readonly takenFor: string;
}

/** An e-mail is shorter, and each pattern below is linear. */
const longestText = 200_000;
const mostArtifacts = 200;

const ipv6 = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w+)?(?![\w:])/giu;

const patterns: readonly RegExp[] = [
  // Federated session names hold `=,.@+-`; what closes a sentence or a quotation does not belong to an ARN.
  /\barn:aws[a-z-]{0,20}:[a-z0-9-]{1,64}:[a-z0-9-]{0,32}:(?:\d{12}|aws)?:[^\s"'`<>|;,()[\]{}\\]{1,1024}/giu,
  /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/gu,
  // The ids that documentation and samples carry have other letters, and people do paste them in lower case.
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Za-z0-9]{16}(?![A-Za-z0-9])/gu,
  /(?<![\w./-])(?:i|sg|vol|snap|ami|eni|subnet|vpc|lt|rtb|igw|nat|acl|vpce|pcx|eipalloc|fs)-[0-9a-f]{8}(?:[0-9a-f]{9})?(?![\w-])/gu,
  /(?<![\d.:])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)/gu,
  ipv6,
  /(?<![\w.:/$€£+-])(?:\d{12}|\d{4}-\d{4}-\d{4})(?![\w.:/-]*\w)/gu,
];

/** `198.51.100[.]7`, `(dot)`, `[dot]`, `hxxp://`, `2001[:]db8::1` as they were; Slack's `<https://a|label>` as its parts. */
function refangText(text: string): string {
  return text
    .slice(0, longestText)
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/gu, '')
    .replace(/[\u2010-\u2015\u2212]/gu, '-')
    .replace(/ ?(?:\[ ?\. ?\]|\( ?\. ?\)|\{ ?\. ?\}|\[ ?dot ?\]|\( ?dot ?\)|\{ ?dot ?\}) ?/giu, '.')
    .replace(/\[:\]/gu, ':')
    .replace(/\bh(?:xx|XX|\*\*)p(s?):/giu, 'http$1:')
    .replace(/<((?:https?|mailto):[^<>|\s]{1,2000})\|([^<>]{0,2000})>/giu, ' $1 $2 ');
}

/** `a::b` and `add::bad` are names in a program: an address that somebody reports has digits and some length. */
function isLikelyIpv6(word: string): boolean {
  return /\d/u.test(word) && word.length >= 6 && parseIp(word.replace(/%.*/u, '')) !== undefined;
}

function artifactOf(word: string): FoundArtifact | undefined {
  try {
    const { artifact, takenFor } = classify(word);
    return { ...artifact, takenFor };
  } catch (thrown) {
    // A pattern's look-alike: 999.1.1.1, an ARN that lacks a part.
    if (thrown instanceof UserError) return undefined;
    throw thrown;
  }
}

/** What ends a sentence or a bracket around the word does not belong to it. */
function trimmed(word: string): string {
  return word.replace(/[.:!?*_~=&#]+$/u, (tail) => (/^::$/u.test(tail) ? tail : ''));
}

/**
 * Every artifact that the text names, each once, in the order of first mention; accounts that stand only inside an ARN or
 * a key id are not repeated (`accountsIn` gives them). At most 200.
 */
export function artifactsIn(text: string): readonly FoundArtifact[] {
  const plain = refangText(text);
  const found: { at: number; artifact: FoundArtifact }[] = [];
  /** Ranges that an ARN takes: an instance or account inside it is not said a second time. */
  const taken: { from: number; to: number }[] = [];
  for (const pattern of patterns) {
    for (const match of plain.matchAll(pattern)) {
      const from = match.index;
      if (taken.some((range) => from >= range.from && from < range.to)) continue;
      const word = trimmed(match[0]);
      if (pattern === ipv6 && !isLikelyIpv6(word)) continue;
      const artifact = artifactOf(pattern === ipv6 ? word.replace(/%.*/u, '') : word);
      if (artifact === undefined) continue;
      taken.push({ from, to: from + match[0].length });
      found.push({ at: from, artifact });
      if (found.length > mostArtifacts * 5) break;
    }
  }
  const once = new Map<string, FoundArtifact>();
  for (const { artifact } of found.toSorted((a, b) => a.at - b.at)) {
    const key = `${artifact.kind} ${artifact.id}`;
    if (!once.has(key)) once.set(key, artifact);
  }
  return [...once.values()].slice(0, mostArtifacts);
}

/** The accounts that artifacts lie in: named, in an ARN, or in a key id (DOMAIN.md 3.3); each once, those named first. */
export function accountsIn(artifacts: readonly Artifact[]): readonly string[] {
  const named = artifacts.flatMap(({ kind, id }) => (kind === 'account' ? [id] : []));
  const inArns = artifacts.flatMap(({ id }) => parseArnStrict(id)?.accountId ?? []);
  const inKeys = artifacts.flatMap(({ kind, id }) => (kind === 'accessKey' ? (accountOfKeyId(id) ?? []) : []));
  return [...new Set([...named, ...inArns, ...inKeys])].filter((id) => /^\d{12}$/.test(id));
}

/** The Regions that ARNs name, each once. */
export function regionsIn(artifacts: readonly Artifact[]): readonly string[] {
  return [...new Set(artifacts.flatMap(({ id }) => parseArnStrict(id)?.region || []))];
}
