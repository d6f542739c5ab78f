/** Records and rules at random, for tests that two ways of judging a record come to the same. */
import fc from 'fast-check';
import type { Node, Test } from '../../../src/contracts/condition.ts';
import { parsePattern } from '../../../src/domain/sigma/pattern.ts';

const word = fc.constantFrom(
  ...['a', 'A', 'ab', 'aB', 'abc', 'xabcx', 'b', '', '1', '1.5', '-0', '10.0.0.7', '10.0.0.007', '192.0.2.1'],
  ...[
    '2001:db8::1',
    'ec2.amazonaws.com',
    'AWS Internal',
    'true',
    'False',
    'É',
    '\u212a',
    'İ',
    "o'b",
    'a"b',
    'a\\b',
    'a.b',
  ],
  ...[
    'a%b',
    'a_b',
    'a|b',
    '*',
    'null',
    '[',
    'a[[b',
    'x\ny',
    '{"a":1}',
    '12345678901234567890',
    'removed',
    'arn:aws:abc',
  ],
  ...[
    'https://user:pass@abc.example',
    'the secret of abc',
    '\ud800abc',
    '"abc":',
    'tab\tabc',
    '-----BEGIN PRIVATE KEY-----abc',
  ],
);
const number = fc.constantFrom(0, 1, -1, 1.5, 1e21, 1e-7, 12, 22, 123_456_789_012, 1.5e20);
const scalar = fc.oneof(word, number, fc.constantFrom(true, false, null));
const inner: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'a.b', 'b.c', 'A', '1', 'x-y', 'x"y', 'abc', 'password'),
    tie('value'),
    { maxKeys: 3 },
  ),
})).object;
/** Columns are UTF-8: no halves of characters. */
const column = word.filter((text) => text.isWellFormed());
const strings = (...names: string[]) => Object.fromEntries(names.map((name) => [name, column]));
const identity = fc.record(
  {
    ...strings('type', 'arn', 'userName', 'accountId', 'invokedBy', 'accessKeyId', 'unheardOf'),
    sessionContext: fc.record(
      {
        sessionIssuer: fc.record(strings('userName', 'type', 'arn'), { requiredKeys: [] }),
        attributes: fc.record(strings('mfaAuthenticated'), { requiredKeys: [] }),
        ...strings('sourceIdentity'),
        webIdFederationData: fc.record({ attributes: fc.dictionary(column, column, { maxKeys: 2 }) }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  { weight: 6, arbitrary: inner },
  fc.constantFrom(null, '', 'null', '{"a":', 'text', '[1]', '5', '{"a":1} x'),
  // JSON that no JSON.stringify writes.
  fc.constantFrom(
    ...[
      '{"a":1.0,"b":1e2}',
      '{"a\\u002eb":"abc"}',
      '{"a":{"abc" : 1}}',
      '{"b":[1e2,1]}',
      '{"a":{"abc":1e2}}',
      '{"a": 1.50}',
      ' {"a":1}',
      '{"a":{"b":100000000000000000000}}',
      '{"a":"\\u0061bc"}',
      '{"a":-0}',
    ],
    ...[
      '{"a":"\\/abc"}',
      '{"b":[1e2, 1.0,"x"],"a":12E-1}',
      '{"\\u0061":"abc"}',
      '{"a":[{"b":"xABCx"}], "b":{ "c" : "AbC"}}',
    ],
  ),
);
/** Records as CloudTrail and attackers write them: odd texts, lists where none are usual, bodies that are no JSON. */
export const anyEvent = fc.record(
  {
    eventTime: fc.constant('2026-11-20T12:00:00Z'),
    eventName: fc.constantFrom('GetUser', 'RunInstances', 'getuser', 'É'),
    eventSource: fc.constantFrom('iam.amazonaws.com', 'ec2.amazonaws.com'),
    eventID: fc.uuid({ version: 4 }),
    ...strings('awsRegion', 'sourceIPAddress', 'userAgent', 'errorCode', 'errorMessage', 'eventVersion', 'requestID'),
    userIdentity: identity,
    requestParameters: body,
    responseElements: body,
    additionalEventData: body,
    resources: fc.array(fc.record(strings('ARN', 'type'), { requiredKeys: [] }), { maxLength: 2 }),
    readOnly: fc.constantFrom(true, false, null),
    recipientAccountId: fc.constantFrom('111122223333', '', null),
    sessionCredentialFromConsole: fc.constantFrom('true', true, '', null),
    tlsDetails: fc.record(strings('tlsVersion', 'cipherSuite'), { requiredKeys: [] }),
    managementEvent: fc.boolean(),
  },
  { requiredKeys: ['eventTime', 'eventName', 'eventSource', 'eventID'] },
);
const field = fc.constantFrom(
  ...[
    'eventName',
    'eventSource',
    'awsRegion',
    'sourceIPAddress',
    'userAgent',
    'errorCode',
    'readOnly',
    'recipientAccountId',
  ],
  ...['eventID', 'eventTime', 'requestID', 'sessionCredentialFromConsole', 'tlsDetails.tlsVersion', 'tlsDetails'],
  ...[
    'requestParameters',
    'requestParameters.a',
    'requestParameters.a.b',
    'requestParameters.a.b.c',
    'requestParameters.b',
  ],
  ...[
    'requestParameters.x-y',
    'requestParameters.x"y',
    'requestParameters.1',
    'requestParameters.password',
    'requestParameters.abc',
  ],
  ...[
    'requestParameters.value',
    'responseElements.a',
    'responseElements',
    'responseElements.b.c',
    'additionalEventData.a',
  ],
  ...['resources.ARN', 'userIdentity.type', 'userIdentity.arn', 'userIdentity.userName', 'userIdentity.invokedBy'],
  ...['userIdentity.sessionContext.sessionIssuer.userName', 'userIdentity.sessionContext.attributes.mfaAuthenticated'],
  ...[
    'userIdentity.sessionContext',
    'userIdentity.unheardOf',
    'userIdentity',
    'managementEvent',
    'firebreak.principal',
  ],
);
const regexes = [
  ...[
    'a',
    '^a',
    'b$',
    '^(a|A)b?$',
    '[a-z]+',
    '[^a]',
    'a.b',
    '\\d+',
    '\\w',
    '\\W',
    'a{2,}',
    '(?:x|y)',
    '\\.',
    '.*',
    '\\s',
  ],
  ...[
    'a\\/b',
    '^$',
    '[a\\]]',
    '\\bab',
    'b\\B',
    '[^\\x00-\\x7f]',
    '(a+)+b',
    '[&&a]',
    '\\x61|_',
    '^.{0,3}$',
    '(|a)',
    '[^]',
  ],
];
const test: fc.Arbitrary<Test> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    pattern: fc
      .oneof(
        word,
        fc.constantFrom(
          '*',
          'a*',
          '*b',
          '*a*',
          '*abc*',
          'ABC*',
          'a?',
          '?',
          '*a*b*',
          'k',
          'é*',
          '\\*',
          '%',
          '_',
          '*|b',
          '*"abc"*',
        ),
        fc.constantFrom(
          '*removed*',
          '*key*',
          '*: 1*',
          '*abc":*',
          '*true*',
          '*1e*',
          '*proto*',
          '*100*',
          '*abc":1*',
          '*secret*',
        ),
      )
      .map(parsePattern),
    cased: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('regex' as const),
    source: fc.constantFrom(...regexes),
    flags: fc.constantFrom('', 'i', 'm', 's'),
  }),
  fc.record({
    kind: fc.constant('cidr' as const),
    network: fc.constantFrom('10.0.0.0/8', '192.0.2.0/24', '0.0.0.0/0', '10.0.0.7/32', '2001:db8::/32'),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    sign: fc.constantFrom('lt' as const, 'lte' as const, 'gt' as const, 'gte' as const),
    number: fc.constantFrom(0, 1, 1.5, -3, 1e21),
  }),
  fc.record({
    kind: fc.constant('field' as const),
    field,
    where: fc.constantFrom('whole' as const, 'contains' as const, 'start' as const, 'end' as const),
    cased: fc.boolean(),
  }),
);
/** Trees of rules. */
export const anyNode: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.record({ kind: fc.constant('field' as const), field, test }),
    fc.record({ kind: fc.constant('field' as const), field, test }),
    fc.record({ kind: fc.constant('null' as const), field }),
    fc.record({ kind: fc.constant('exists' as const), field, expected: fc.boolean() }),
    fc.record({ kind: fc.constant('keyword' as const), test }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('not' as const), of: tie('node') }),
  ),
})).node;

/** What is told from a body as a whole: texts that JSON writes in more than one way, or that removed values leave behind. */
export const textsInBodies: readonly Node[] = [
  'requestParameters',
  'requestParameters.a',
  'requestParameters.b',
].flatMap((name) =>
  ['*abc":1*', '*"abc"*', '*{"b":*', '*removed*', '*100*', '*key*', '*proto*', '*true*', '*abc*', '*/abc', 'xabcx'].map(
    (text): Node => ({ kind: 'field', field: name, test: { kind: 'text', pattern: parsePattern(text), cased: false } }),
  ),
);
