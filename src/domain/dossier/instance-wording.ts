/** The dossier of an instance in words. */
import type { Brief } from '../../contracts/investigation.ts';
import type { Fact, Line, Part } from '../../contracts/message.ts';
import { few, unfinished } from '../answers.ts';
import { bold, code, count, line, utc } from '../phrases.ts';
import { labelOf } from '../pivot-actors.ts';
import type { ImageFacts, InstanceAnswer } from './instance.ts';
import { tagWords } from './tags.ts';
import type { SignKind } from './user-data.ts';
import { accountLine, gapsPart, privilegeWord, rightsWords } from './words.ts';

const signWords: Readonly<Record<SignKind, string>> = {
  miner: 'mining',
  persistence: 'persistence',
  dropper: 'a dropper',
  exfiltration: 'data sent out by DNS',
  encoded: 'hidden code',
  credentials: 'reading of its credentials',
  evasion: 'turning off protection',
};

function signsWords(answer: InstanceAnswer): string {
  const kinds = [...new Set((answer.userData?.signs ?? []).map(({ kind }) => signWords[kind]))];
  return kinds.join(', ');
}

function unnoticed(answer: InstanceAnswer) {
  return answer.siblings.filter(({ hasFinding }) => hasFinding === false);
}

export function instanceHeadline(answer: InstanceAnswer): string {
  const state =
    answer.state === null
      ? 'has a state that is not known'
      : answer.state === 'gone'
        ? 'is gone'
        : `is ${answer.state}`;
  const by =
    answer.launchedBy === null
      ? ''
      : `, launched by ${labelOf(answer.launchedBy.by)} at ${utc(answer.launchedBy.eventTime)}`;
  const signs = signsWords(answer);
  const doors =
    answer.openDoors && answer.openDoors.length > 0
      ? `; open to the world: ${few([...new Set(answer.openDoors.map(({ ports }) => ports))], 3)}`
      : '';
  const alone = unnoticed(answer);
  const siblings =
    answer.siblings.length === 0
      ? ''
      : `; ${count(answer.siblings.length, 'sibling')}${alone.length > 0 ? `, ${alone.length} without a finding` : ''}`;
  return `Instance ${answer.instance} ${state}${by}${signs === '' ? '' : `; its start-up script shows ${signs}`}${doors}${siblings}${unfinished(answer.coverage)}.`;
}

export function instanceParts(answer: InstanceAnswer): readonly Part[] {
  const { facts, launchedBy, image, profile } = answer;
  const list: Fact[] = [
    { label: 'Account', value: line(accountLine(answer.accountId ?? '', answer.account)) },
    {
      label: 'Where',
      value: line(
        answer.region === null
          ? 'not known'
          : `${answer.region}${facts?.vpcId ? `, ${facts.vpcId}` : ''}${facts?.subnetId ? `, ${facts.subnetId}` : ''}`,
      ),
    },
    ...(facts === null
      ? []
      : [
          {
            label: 'Machine',
            value: line(
              code(facts.type),
              `, launched ${facts.launchedAt === null ? 'at a time not known' : utc(facts.launchedAt)}${facts.keyName === null ? '' : `, SSH key ${facts.keyName}`}`,
            ),
          },
        ]),
    {
      label: 'Made by',
      value:
        launchedBy === null
          ? line('not found in the window')
          : line(
              code(launchedBy.by),
              ` by ${launchedBy.eventName} at ${utc(launchedBy.eventTime)} from ${launchedBy.sourceIp}${launchedBy.accessKey === null ? '' : ` with key ${launchedBy.accessKey}`}${launchedBy.through === '' ? '' : `, through ${launchedBy.through}`}, event ${launchedBy.eventId}`,
            ),
    },
    { label: 'Owner', value: line(ownerWords(answer)) },
    ...(facts === null
      ? []
      : [
          {
            label: 'Image',
            value: line(
              image === null ? `${facts.imageId}, which could not be looked at` : imageWords(image, answer.accountId),
            ),
          },
        ]),
    ...(facts === null
      ? []
      : [
          {
            label: 'Addresses',
            value: line(
              `${facts.publicAddresses.length === 0 ? 'no public one' : `public ${few(facts.publicAddresses, 4)}`}${facts.privateIp === null ? '' : `, private ${facts.privateIp}`}`,
            ),
          },
        ]),
    ...(answer.openDoors === null
      ? []
      : [
          {
            label: 'Open to the world',
            value: line(
              answer.openDoors.length === 0
                ? 'no inbound rule is'
                : few(
                    answer.openDoors.map(
                      (door) => `${door.ports} from ${door.from} (${door.groupName}, ${door.groupId})`,
                    ),
                    4,
                  ),
            ),
          },
        ]),
    ...(facts === null
      ? []
      : [
          {
            label: 'Role',
            value: line(
              profile === null
                ? 'none: it has no credentials of its own'
                : `${profile.role ?? profile.arn}: ${rightsWords(profile.rights, 2)}`,
            ),
          },
        ]),
    ...(facts?.metadata.v1Allowed
      ? [{ label: 'Metadata', value: line('IMDSv1 is allowed: a forged request can read its credentials') }]
      : []),
    ...answer.tags.slice(0, 8).map((tag) => ({ label: 'Tag', value: line(tagWords(tag)) })),
  ];
  return [
    { kind: 'facts', facts: list },
    ...scriptPart(answer),
    ...siblingsPart(answer),
    ...gapsPart(answer.notAnswered),
  ];
}

/** The owner by tag, but only as what it is: a word of whoever set the tag. */
function ownerWords({ tags, account }: InstanceAnswer): string {
  const tag = tags.find(({ key }) => /^(owner|team|service-?owner)$/i.test(key));
  const ofAccount = account?.owner === undefined ? 'nobody named for the account' : `of the account: ${account.owner}`;
  if (tag === undefined) return `no owner tag; ${ofAccount}`;
  return `${tag.value} by tag${tag.claim ? `, but whoever launched it set that tag: a CLAIM` : tag.setBy === undefined ? ' (who set it is not in the window)' : ''}; ${ofAccount}`;
}

function imageWords(image: ImageFacts, own: string | null): string {
  const owner =
    image.ownerAlias !== ''
      ? image.ownerAlias
      : image.ownerId === own
        ? 'this account'
        : `ANOTHER ACCOUNT, ${image.ownerId}`;
  const age = image.ageDays === null ? '' : `, ${count(image.ageDays, 'day')} old`;
  return `${image.id} "${image.name}" of ${owner}${image.public ? ', public' : ''}${age}`;
}

function scriptPart({ userData, hasUserData }: InstanceAnswer): readonly Part[] {
  if (userData === null)
    return hasUserData === false ? [{ kind: 'lines', lines: [line(bold('Start-up script: '), 'none')] }] : [];
  const layers = userData.layers.length > 0 ? `, unpacked from ${few(userData.layers, 3)}` : '';
  const head = line(
    bold('Start-up script: '),
    `${userData.length.toLocaleString('en-US')} characters${layers}; ${userData.signs.length === 0 ? 'none of the known signs was found in it' : count(userData.signs.length, 'sign')}${userData.cut ? '; only its beginning was read' : ''}.`,
  );
  const items: Line[] = userData.signs
    .slice(0, 12)
    .map((sign) => line(bold(`${signWords[sign.kind]}: `), `${sign.says}, line ${sign.line}: `, code(sign.matched)));
  return items.length === 0
    ? [{ kind: 'lines', lines: [head] }]
    : [
        { kind: 'lines', lines: [head] },
        { kind: 'list', items },
      ];
}

function siblingsPart({ siblings }: InstanceAnswer): readonly Part[] {
  if (siblings.length === 0) return [];
  const finding = (has: boolean | undefined) =>
    has === undefined ? 'not known' : has ? 'has a finding' : 'NO FINDING YET';
  return [
    { kind: 'header', text: 'Siblings' },
    {
      kind: 'table',
      columns: ['Instance', 'Shares', 'Finding'],
      rows: [
        ...siblings.slice(0, 15).map((one) => [one.id, one.because.join(', '), finding(one.hasFinding)]),
        ...(siblings.length > 15 ? [[`and ${siblings.length - 15} more`, '', '']] : []),
      ],
    },
  ];
}

export function instanceBrief(answer: InstanceAnswer): Brief {
  const { facts, launchedBy, profile, openDoors } = answer;
  const signs = signsWords(answer);
  const alone = unnoticed(answer);
  const what = [
    answer.state === null ? [] : [answer.state === 'gone' ? 'gone by now' : answer.state],
    facts?.type ? [code(facts.type)] : [],
    launchedBy === null ? [] : [`launched by ${labelOf(launchedBy.by)} at ${utc(launchedBy.eventTime)}`],
  ].flat();
  const list: Fact[] = [];
  if (what.length > 0)
    list.push({ label: 'Instance', value: line(...what.flatMap((piece, at) => (at === 0 ? [piece] : [', ', piece]))) });
  const tells = [
    signs === '' ? undefined : `its start-up script shows ${signs}`,
    openDoors && openDoors.length > 0
      ? `open to the world on ${few([...new Set(openDoors.map(({ ports }) => ports))], 3)}`
      : undefined,
    profile === null ? undefined : `role ${profile.role ?? 'not known'} ${privilegeWord(profile.rights?.privilege)}`,
  ].filter((word) => word !== undefined);
  if (tells.length > 0) list.push({ label: 'It shows', value: line(tells.join('; ')) });
  if (answer.siblings.length > 0)
    list.push({
      label: 'Siblings',
      value: line(
        `${count(answer.siblings.length, 'instance')} of the same launch, key or image${
          alone.length > 0
            ? `, ${alone.length} without a finding: ${few(
                alone.map(({ id }) => id),
                2,
              )}`
            : ''
        }`,
      ),
    });
  return {
    facts: list,
    missing: answer.notAnswered.map(({ part, because }) => `${part}: ${because}`),
    mayComeLater: answer.notAnswered.some(({ retryable }) => retryable),
    ...(profile?.rights?.privilege === undefined ? {} : { privilege: profile.rights.privilege }),
    did:
      signs === ''
        ? answer.did
        : {
            says: `runs a start-up script that shows ${signs}`,
            weight: 5,
            eventIds: launchedBy === null ? [] : [launchedBy.eventId],
            complete: true,
          },
  };
}
