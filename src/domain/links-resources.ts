/**
 * What a successful call made, changed or deleted (DOMAIN.md 4.3). The noun in the event's name decides: CreateUser makes the
 * user, CreateAccessKey makes the key and changes the user, DeleteRolePolicy changes the role.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';
import { fieldsOf, plainAt } from './links-fields.ts';
import { type Named, nameOf, type Place, parameters } from './links-naming.ts';
import type { GraphNode } from './principal.ts';

interface Effect {
  readonly kind: 'created' | 'changed' | 'deleted';
  readonly node: GraphNode;
}

export interface Touched {
  readonly effects: readonly Effect[];
  /** Everything that the bodies name, with or without an effect on it. */
  readonly mentions: readonly GraphNode[];
}

const makes = /^(Create|Run|Register|Allocate|Import|Copy|Request|Upload|Acquire|Restore)/;
const ends = /^(Delete|Terminate|Deregister|Release)/;
const reads =
  /^(Get|List|Describe|Head|Lookup|Search|Check|BatchGet|Scan|Query|Select|Simulate|Validate|Assume|Decrypt|Verify(?!Email|Domain))/;
/** Writes by CloudTrail's count that leave nothing changed in what they name. */
const uses =
  /^(Invoke|Encrypt|GenerateDataKey|Publish$|SendMessage|ReceiveMessage|SendEmail|SendRawEmail|StartQuery|Converse|ConsoleLogin)/;

/** Event names without their date: `CreateFunction20150331`, `UpdateFunctionCode20150331v2`, `CreateDistribution2020_05_31`. */
export function plainEventName(eventName: string): string {
  return eventName.replace(/\d{4}_?\d{2}_?\d{2}(v\d+)?$/, '');
}

function isWrite(record: CloudTrailRecord): boolean {
  const name = plainEventName(record.eventName);
  if (uses.test(name)) return false;
  return record.readOnly === undefined ? !reads.test(name) : !record.readOnly;
}

/** Reads the bodies of a record. `effective` false (a failed or reading call): everything is only mentioned. */
export function touchedBy(record: CloudTrailRecord, at: Place, effective: boolean): Touched {
  const place = at.service === 'ssm' && record.eventName.includes('Parameter') ? { ...at, service: parameters } : at;
  const asked = namesIn(record.requestParameters, place);
  const answered = namesIn(record.responseElements, place);
  const mentions = [...asked, ...answered].map((named) => named.node);
  if (!effective || !isWrite(record)) return { effects: [], mentions };
  return { effects: effectsOf(callOf(record), asked, answered, place), mentions };
}

/** `PutParameter` makes what it counts as version 1, and what it may not overwrite. */
function callOf({ eventName, requestParameters, responseElements }: CloudTrailRecord): string {
  const makesIt =
    eventName === 'PutParameter' &&
    (plainAt(responseElements, 'version') ?? (plainAt(requestParameters, 'overwrite') === 'true' ? '' : '1')) === '1';
  return makesIt ? 'CreateParameter' : plainEventName(eventName);
}

function namesIn(body: unknown, place: Place): readonly Named[] {
  return fieldsOf(body).flatMap((field) => {
    const named = nameOf(field, place);
    return named ? [named] : [];
  });
}

function effectsOf(name: string, asked: readonly Named[], answered: readonly Named[], place: Place): readonly Effect[] {
  const noun = singular(name.replace(/^[A-Z][a-z]+/, '').toLowerCase());
  const isThing = (named: Named) => named.noun !== '' && (noun.endsWith(named.noun) || named.noun === `${noun}request`);
  const made = makes.test(name) ? madeBy(noun, asked, answered, isThing, place) : [];
  const ended = ends.test(name) ? [...asked, ...answered].filter(isThing) : [];
  const done = new Set([...made, ...ended].map((named) => named.node.id));
  const changed = changedBy(name, noun, asked, answered, place, done.size > 0).filter(({ node }) => !done.has(node.id));
  return [...effects('created', made), ...effects('deleted', ended), ...effects('changed', changed)];
}

/** Ids in the answer come first: they are exact. Where the answer is missing or says nothing, the asked-for name counts. */
function madeBy(
  noun: string,
  asked: readonly Named[],
  answered: readonly Named[],
  isThing: (named: Named) => boolean,
  place: Place,
): readonly Named[] {
  const known = new Set(asked.map((named) => named.node.id));
  const answers = answered.filter(
    (named) => isThing(named) || (place.service === 'ec2' && isLaunched(named) && !known.has(named.node.id)),
  );
  // A network interface in the answer of CreateVolume or the like is not made by it; launches make theirs.
  const launched = /instance|fleet/.test(noun) ? answers : answers.filter(isThing);
  if (launched.length === 0) return asked.filter(isThing);
  const withArn = new Set(launched.filter(isArn).map((named) => named.field.owner));
  const exact = launched.filter((named) => isArn(named) || !withArn.has(named.field.owner));
  // A key pair has a name and an id; launches and calls about it use the name.
  const isNamed = noun === 'keypair' && exact.some(({ node }) => node.id.startsWith('arn:'));
  return isNamed ? exact.filter(({ node }) => node.id.startsWith('arn:')) : exact;
}

function isArn(named: Named): boolean {
  return named.field.value.startsWith('arn:');
}

function isLaunched(named: Named): boolean {
  return named.noun === 'instance' || named.noun === 'networkinterface' || named.noun === 'volume';
}

function changedBy(
  name: string,
  noun: string,
  asked: readonly Named[],
  answered: readonly Named[],
  place: Place,
  hasThing: boolean,
): readonly Named[] {
  const subjects = asked.filter((named) => named.noun !== '' && !isBeside(named, asked));
  if (place.service === 'iam') return subjects.filter((named) => named.noun !== 'policy' || isAboutPolicy(noun));
  if (hasThing || (place.service === 'ec2' && makes.test(name))) return [];
  const inName = [...subjects, ...answered].filter((named) => named.noun !== '' && noun.includes(named.noun));
  return inName.length > 0 ? inName : subjects.filter((named) => !isForeignRole(named, place));
}

/** Attach, detach and boundary calls change the identity; the policy stays as it is. */
function isAboutPolicy(noun: string): boolean {
  return noun.includes('policy') && !/^(user|role|group)policy$/.test(noun);
}

/** Source groups in a security group rule stand deeper than the group that is changed. */
function isBeside(named: Named, asked: readonly Named[]): boolean {
  if (named.noun !== 'group') return false;
  const first = asked.find((other) => other.noun === 'group');
  return first !== undefined && first.field.owner !== named.field.owner;
}

/** A role handed to a service (PassRole) is used by it, not changed. */
function isForeignRole(named: Named, place: Place): boolean {
  return place.service !== 'iam' && named.node.kind !== 'resource' && named.node.kind !== 'account';
}

function effects(kind: Effect['kind'], named: readonly Named[]): readonly Effect[] {
  return named.map(({ node }) => ({ kind, node }));
}

function singular(noun: string): string {
  if (noun.endsWith('ies')) return `${noun.slice(0, -3)}y`;
  return noun.endsWith('s') && !noun.endsWith('ss') ? noun.slice(0, -1) : noun;
}
