/**
 * The twelve questions of AWS's crypto-mining playbook (MISSION.md 4.4), with its errors put right: launches of many count
 * every instance and every interface (q7, q9), flows are found by interface and destinations are followed instead of the
 * instance's own address (q10 to q12), and every query is kept to accounts, Regions and days.
 */
import type { AthenaScope, AthenaStatement } from '../../contracts/athena.ts';
import { UserError } from '../../contracts/errors.ts';
import { parseIp } from '../address.ts';
import { isInstanceId } from '../links-naming.ts';
import { parseArn } from '../principal.ts';
import { Parameters } from './literals.ts';
import { partitions, tableOf, trailScope } from './queries.ts';
import {
  flowTime,
  inResource,
  interfacesOf,
  launched,
  launches,
  leaving,
  maxRows,
  one,
  onFlows,
  onTrail,
} from './question-parts.ts';
import type { AthenaSettings } from './settings.ts';

export interface AthenaQuestion {
  /** What people type. */
  readonly name: string;
  /** In the playbook. */
  readonly number: string;
  readonly title: string;
  readonly takes: 'instances' | 'principal' | 'address';
  /** Finds the instances' interfaces in their launches: of one that was launched before the window it knows nothing. */
  readonly isByLaunch?: boolean;
  statement(words: readonly string[], scope: AthenaScope, settings: AthenaSettings): AthenaStatement;
}

/** What `words` must be for the question. Throws UserError with what is wanted. */
export function checkedWords({ takes, name }: AthenaQuestion, words: readonly string[]): readonly string[] {
  const forms = {
    instances: { fits: isInstanceId, hint: 'instance ids (i-...), one or more', many: true },
    principal: {
      fits: isPrincipalWord,
      hint: 'the ARN of a user, role or role session, or an access key id',
      many: false,
    },
    address: { fits: (word: string) => parseIp(word) !== undefined, hint: 'one IP address', many: false },
  } as const;
  const { fits, hint, many } = forms[takes];
  const wrong = words.find((word) => !fits(word));
  if (words.length === 0 || (words.length > 1 && !many) || wrong !== undefined || words.length > 50)
    throw new UserError(`${name} takes ${hint}.`, wrong === undefined ? undefined : `"${wrong.slice(0, 80)}" is none.`);
  return takes === 'address' ? words.map((word) => parseIp(word) ?? word) : words;
}

function isPrincipalWord(word: string): boolean {
  return parseArn(word) !== undefined || /^(AKIA|ASIA)[A-Z0-9]{12,124}$/.test(word);
}

export const athenaQuestions: readonly AthenaQuestion[] = [
  {
    name: 'instance-calls',
    number: 'q1',
    title: 'EC2 calls that touch the instances',
    takes: 'instances',
    statement: onTrail(
      'EC2 calls that touch the instances',
      'eventtime, eventname, useridentity.arn AS principal, sourceipaddress, awsregion, errorcode, eventid',
      inResource,
      'ORDER BY eventtime',
    ),
  },
  {
    name: 'addresses-of',
    number: 'q2',
    title: 'Addresses and agents of a principal',
    takes: 'principal',
    statement: onTrail(
      'addresses and agents of a principal',
      'sourceipaddress, useragent, count(*) AS calls, min(eventtime) AS firstseen, max(eventtime) AS lastseen',
      one,
      'GROUP BY 1, 2\nORDER BY calls DESC',
    ),
  },
  {
    name: 'principals-at',
    number: 'q3',
    title: 'Principals that used an address',
    takes: 'address',
    statement: onTrail(
      'principals that used an address',
      'coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, useridentity.principalid) AS principal, count(*) AS calls, min(eventtime) AS firstseen, max(eventtime) AS lastseen',
      (words, parameters) => `sourceipaddress = ${parameters.add(words[0] ?? '')}`,
      'GROUP BY 1\nORDER BY calls DESC',
    ),
  },
  {
    name: 'calls-of',
    number: 'q4',
    title: 'Calls of a principal',
    takes: 'principal',
    statement: onTrail(
      'calls of a principal',
      'eventsource, eventname, awsregion, errorcode, count(*) AS calls, min(eventtime) AS firstseen, max(eventtime) AS lastseen',
      one,
      'GROUP BY 1, 2, 3, 4\nORDER BY calls DESC',
    ),
  },
  {
    name: 'launches-of',
    number: 'q5',
    title: 'Launches of a principal: what was asked for and what came of it',
    takes: 'principal',
    statement: onTrail(
      'launches of a principal',
      'eventtime, awsregion, sourceipaddress, errorcode, requestparameters, responseelements, eventid',
      (words, parameters) =>
        `eventsource = 'ec2.amazonaws.com' AND eventname = 'RunInstances' AND ${one(words, parameters)}`,
      'ORDER BY eventtime',
    ),
  },
  {
    name: 'keys-of',
    number: 'q6',
    title: 'Access keys that a principal used',
    takes: 'principal',
    statement: onTrail(
      'access keys of a principal',
      'useridentity.accesskeyid AS accesskeyid, useridentity.type AS type, count(*) AS calls, min(eventtime) AS firstseen, max(eventtime) AS lastseen',
      one,
      'GROUP BY 1, 2\nORDER BY calls DESC',
    ),
  },
  {
    name: 'instances-launched-by',
    number: 'q7',
    title: 'Every instance that a principal launched',
    takes: 'principal',
    statement: onTrail(
      'every instance that a principal launched',
      "eventtime, awsregion, json_extract_scalar(item, '$.instanceId') AS instanceid, json_extract_scalar(item, '$.instanceType') AS instancetype, json_extract_scalar(item, '$.imageId') AS imageid, sourceipaddress, eventid",
      (words, parameters) => `${launches} AND ${one(words, parameters)}`,
      'ORDER BY eventtime',
      ` ${launched}`,
    ),
  },
  {
    name: 'flows-of',
    number: 'q8',
    title: 'Flows of the instances, by interface',
    takes: 'instances',
    isByLaunch: true,
    statement: onFlows(
      'flows of the instances',
      'instanceid, flow.srcaddr, flow.dstaddr, flow.srcport, flow.dstport, protocol, action, count(*) AS flows, sum(bytes) AS bytes, min("start") AS first, max("end") AS last',
      '',
      'GROUP BY 1, 2, 3, 4, 5, 6, 7\nORDER BY bytes DESC',
    ),
  },
  {
    name: 'private-addresses-of',
    number: 'q9',
    title: 'Private addresses of the instances, of every interface',
    takes: 'instances',
    isByLaunch: true,
    statement(words, scope, settings) {
      const parameters = new Parameters();
      const sql = `${interfacesOf(words, scope, settings, parameters)}
SELECT instanceid, interfaceid, privateip
FROM interfaces
ORDER BY 1, 2
LIMIT ${maxRows + 1}`;
      const title = 'private addresses of the instances';
      return { title, sql, parameters: parameters.list, reads: { table: 'cloudtrail', scope }, maxRows };
    },
  },
  {
    name: 'egress-of',
    number: 'q10',
    title: 'What left the instances for the outside',
    takes: 'instances',
    isByLaunch: true,
    statement: onFlows(
      'what left the instances',
      'instanceid, flow.dstaddr, flow.dstport, action, count(*) AS flows, sum(bytes) AS bytes, min("start") AS first, max("end") AS last',
      leaving,
      'GROUP BY 1, 2, 3, 4\nORDER BY bytes DESC',
    ),
  },
  {
    name: 'destinations-of',
    number: 'q11',
    title: 'Distinct destinations outside',
    takes: 'instances',
    isByLaunch: true,
    statement: onFlows(
      'distinct destinations outside',
      "flow.dstaddr, count(DISTINCT instanceid) AS instances, sum(if(action = 'ACCEPT', bytes, 0)) AS bytes, sum(if(action = 'REJECT', 1, 0)) AS rejected, array_join(array_agg(DISTINCT instanceid), ' ') AS instanceids",
      leaving,
      'GROUP BY 1\nORDER BY bytes DESC',
    ),
  },
  {
    name: 'calls-from-destinations-of',
    number: 'q12',
    title: 'API calls that came from the destinations',
    takes: 'instances',
    isByLaunch: true,
    statement(words, scope, settings) {
      const parameters = new Parameters();
      const sql = `${interfacesOf(words, scope, settings, parameters)}, destinations AS (
  SELECT DISTINCT flow.dstaddr AS address
  FROM ${tableOf(settings, 'flowLogs')} AS flow JOIN interfaces ON flow.interface_id = interfaces.interfaceid
  WHERE ${partitions(scope)}
  AND ${flowTime(scope)}
  AND log_status = 'OK'${leaving}
)
SELECT sourceipaddress, coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, useridentity.principalid) AS principal,
  eventsource, eventname, count(*) AS calls, min(eventtime) AS firstseen, max(eventtime) AS lastseen
FROM ${tableOf(settings, 'cloudtrail')} JOIN destinations ON sourceipaddress = destinations.address
WHERE ${trailScope(scope)}
GROUP BY 1, 2, 3, 4
ORDER BY calls DESC
LIMIT ${maxRows + 1}`;
      const title = 'API calls from the destinations';
      // CloudTrail for the launches, and for the calls.
      const also = ['cloudtrail', 'cloudtrail'] as const;
      return { title, sql, parameters: parameters.list, reads: { table: 'flowLogs', also, scope }, maxRows };
    },
  },
];

/** The statement of a named question. Throws UserError for an unknown name, with the names, and for words that do not fit. */
export function namedStatement(
  name: string,
  words: readonly string[],
  scope: AthenaScope,
  settings: AthenaSettings,
): AthenaStatement {
  const question = questionCalled(name);
  return question.statement(checkedWords(question, words), scope, settings);
}

/** By its name or its number in the playbook. Throws UserError with the names. */
export function questionCalled(name: string): AthenaQuestion {
  const question = athenaQuestions.find((one) => one.name === name || one.number === name);
  if (question === undefined)
    throw new UserError(
      `"${name.slice(0, 60)}" is no question that I know.`,
      `Questions: ${athenaQuestions.map((one) => one.name).join(', ')}.`,
    );
  return question;
}
