/** The grammar of GuardDuty's finding types (DOMAIN.md 2.4) and a plain sentence for each. */
import { type Wording, wordings } from './finding-families.ts';
import { inert } from './inert.ts';

interface FindingType {
  readonly purpose: string;
  readonly resource: string;
  readonly family: string;
  readonly mechanism?: string;
  readonly artifact?: string;
}

const grammar = /^([A-Za-z]+):([A-Za-z0-9]+)\/([^.!]+)(?:\.([^!]+))?(?:!(.+))?$/;

/** `ThreatPurpose:ResourceTypeAffected/ThreatFamily[.DetectionMechanism][!Artifact]`; undefined for any other form. */
function parseFindingType(type: string): FindingType | undefined {
  const [, purpose, resource, family, mechanism, artifact] = grammar.exec(type) ?? [];
  if (purpose === undefined || resource === undefined || family === undefined) return undefined;
  return {
    purpose,
    resource,
    family,
    ...(mechanism !== undefined && { mechanism }),
    ...(artifact !== undefined && { artifact }),
  };
}

const subjects = new Map([
  ['EC2', 'an EC2 instance'],
  ['Lambda', 'a Lambda function'],
  ['Runtime', 'a process on an instance or in a container'],
  ['Container', 'a container'],
  ['ECS', 'an ECS cluster'],
  ['EKS', 'an EKS cluster'],
  ['Kubernetes', 'a Kubernetes cluster'],
  ['RDS', 'an RDS database'],
  ['S3', 'an S3 bucket'],
  ['IAM', 'an IAM identity'],
  ['IAMUser', 'an AWS identity'],
  ['SageMaker', 'a SageMaker resource'],
  ['SES', 'the e-mail service'],
  ['Organizations', 'the AWS organization'],
]);

const callers = new Map([
  ['S3', 'S3 calls'],
  ['Kubernetes', 'Kubernetes API calls'],
]);

const doings = new Map([
  ['CredentialAccess', 'that reach for passwords, keys or secrets'],
  ['DefenseEvasion', 'that help to stay unseen'],
  ['DefenseImpairment', 'that weaken defences'],
  ['Discovery', 'that explore what there is'],
  ['Execution', 'that run code'],
  ['Exfiltration', 'that collect data'],
  ['Impact', 'that change or destroy data and resources'],
  ['InitialAccess', 'that open a way in'],
  ['LateralMovement', 'that reach further systems'],
  ['Persistence', 'that keep a way in open'],
  ['PrivilegeEscalation', 'that give more rights'],
  ['Recon', 'that explore what there is'],
]);

const purposes = new Map([
  ['AttackSequence', 'several steps that look like one attack'],
  ['Backdoor', 'signs of a back door'],
  ['Behavior', 'unusual behaviour'],
  ['CredentialAccess', 'an attempt to get credentials'],
  ['CryptoCurrency', 'crypto mining'],
  ['DefenseEvasion', 'an attempt to stay unseen'],
  ['DefenseImpairment', 'weakened defences'],
  ['Discovery', 'somebody who is looking around'],
  ['Execution', 'suspicious code'],
  ['Exfiltration', 'signs of data theft'],
  ['Impact', 'damage or abuse'],
  ['InitialAccess', 'an attempt to get in'],
  ['LateralMovement', 'an attempt to reach further systems'],
  ['Object', 'a suspicious object'],
  ['PenTest', 'tools of penetration testers'],
  ['Persistence', 'an attempt to keep a way in'],
  ['Policy', 'a risky setting'],
  ['PrivilegeEscalation', 'an attempt to gain rights'],
  ['Recon', 'probing'],
  ['ResourceConsumption', 'unusual use of resources'],
  ['ResourceDevelopment', 'preparation of an attack'],
  ['Stealth', 'an attempt to hide'],
  ['Trojan', 'signs of a trojan'],
  ['UnauthorizedAccess', 'unauthorised access'],
]);

function wordingOf(type: FindingType): Wording | undefined {
  const { purpose, resource, family, mechanism, artifact } = type;
  const afterFamily = mechanism === undefined ? '' : `.${mechanism}`;
  const rest = family + afterFamily + (artifact === undefined ? '' : `!${artifact}`);
  const keys = [`${purpose}:${resource}/${rest}`, `${resource}/${rest}`, rest];
  if (artifact !== undefined) keys.push(`${family}!${artifact}`);
  if (mechanism !== undefined) keys.push(`${resource}/${family}.${mechanism}`, `${family}.${mechanism}`);
  keys.push(`${purpose}:${resource}/${family}`, `${resource}/${family}`, family);
  const key = keys.find((candidate) => Object.hasOwn(wordings, candidate));
  return key === undefined ? undefined : wordings[key];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `NewBinaryExecuted` as `new binary executed`; letters and digits only. */
function spaced(name: string): string {
  const words = inert(name, 60)
    .replace(/[^\p{L}\p{N} ]+/gu, ' ')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return words.replace(/\b[A-Z](?=[a-z])/g, (letter) => letter.toLowerCase());
}

/** True where there are words for this very kind of finding. */
export function isKnownFindingType(type: string): boolean {
  const parsed = parseFindingType(type);
  return parsed !== undefined && wordingOf(parsed) !== undefined;
}

/**
 * What a finding of this type says happened, as one plain sentence without any text from outside, for any type at all.
 * `role` ACTOR: our resource acts; TARGET: it is attacked.
 */
export function sentenceOfType(type: string, role?: 'ACTOR' | 'TARGET'): string {
  const parsed = parseFindingType(type);
  if (parsed === undefined) return 'GuardDuty reports something of a kind that is not known here.';
  const subject = subjects.get(parsed.resource) ?? `the ${spaced(parsed.resource) || 'named'} resource`;
  const wording = wordingOf(parsed);
  if (wording === undefined) {
    const purpose = purposes.get(parsed.purpose) ?? `“${spaced(parsed.purpose)}”`;
    return `GuardDuty reports ${purpose} about ${subject}, of a kind that is new here: “${spaced(parsed.family)}”.`;
  }
  const text =
    typeof wording === 'string'
      ? wording
      : wording[role === 'ACTOR' ? 'actor' : role === 'TARGET' ? 'target' : 'unknown'];
  const calls = callers.get(parsed.resource) ?? 'AWS API calls';
  const sentence = text
    .replace('{Subject}', capital(subject))
    .replace('{subject}', subject)
    .replace('{calls}', calls)
    .replace(' {doing}', () => {
      const doing = doings.get(parsed.purpose);
      return doing === undefined ? '' : ` ${doing}`;
    });
  return capital(sentence);
}
