import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matcherOf } from '../../../../src/domain/sigma/matcher.ts';
import { parseRules } from '../../../../src/domain/sigma/parse.ts';

/** A rule of one selection in YAML, and whether it matches a record. */
function matches(detection: string, record: Readonly<Record<string, unknown>>): boolean {
  const { rules, unsupported } = parseRules([{ path: 'r.yml', text: ruleText(detection) }]);
  expect(unsupported).toEqual([]);
  const [rule] = rules;
  if (rule?.kind !== 'event') throw new RangeError('no event rule');
  return matcherOf(rule.tree)(record);
}

function ruleText(detection: string, more = ''): string {
  const body = detection.replace(/^/gm, '  ');
  const condition = detection.includes('condition:') ? '' : '  condition: sel\n';
  return `title: a\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n${body}\n${condition}${more}`;
}

function reasonFor(text: string): string | undefined {
  const { rules, unsupported } = parseRules([{ path: 'folder/r.yml', text }]);
  expect(rules).toEqual([]);
  expect(unsupported.map(({ rule }) => rule)).toEqual(['r.yml']);
  return unsupported[0]?.reason;
}

describe('a Sigma rule', () => {
  it.each([
    ['sel: {a: Bob}', { a: 'BOB' }, true],
    ['sel: {a|cased: Bob}', { a: 'BOB' }, false],
    ['sel: {a: b*}', { a: 'Bob' }, true],
    ['sel: {a: b?b}', { a: 'Bob' }, true],
    ['sel: {a: "b\\\\*"}', { a: 'Bob' }, false],
    ['sel: {a: "b\\\\*"}', { a: 'b*' }, true],
    ['sel: {a: "c:\\\\x\\\\*"}', { a: 'c:\\x*' }, true],
    ['sel: {a|contains: "*"}', { a: 'x' }, true],
    ['sel: {a|contains: "*"}', {}, false],
    ['sel: {a|contains|all: [x, y]}', { a: 'yx' }, true],
    ['sel: {a|contains|all: [x, y]}', { a: 'x' }, false],
    ['sel: {a|startswith: [x, y]}', { a: 'Yes' }, true],
    ['sel: {a|endswith: es}', { a: 'Yes' }, true],
    ['sel: {a: null}', { a: null }, true],
    ['sel: {a: null}', {}, true],
    ['sel: {a: null}', { a: 'x' }, false],
    ['sel: {a: [null, x]}', {}, true],
    ['sel: {sourceIPAddress: null}', { sourceIPAddress: '' }, true],
    ['sel: {a: ""}', { a: '' }, true],
    ['sel: {a: ""}', {}, false],
    ['sel: {a|exists: true}', { a: 0 }, true],
    ['sel: {a|exists: false}', {}, true],
    ["sel: {a: 'false'}", { a: false }, true],
    ['sel: {a: true}', { a: 'TRUE' }, true],
    ['sel: {a: 443}', { a: '443' }, true],
    ['sel: {a: 012345678901}', { a: '012345678901' }, true],
    ['sel: {a|gte: 10}', { a: '10' }, true],
    ['sel: {a|lt: 10}', { a: 'ten' }, false],
    ['sel: {a.b.c: x}', { a: [{ b: { c: 'y' } }, { b: { c: 'x' } }] }, true],
    ['sel: {a: x}', { a: ['y', 'x'] }, true],
    ['sel: {a.b.c: x}', { a: { 'b.c': 'x' } }, true],
    ['sel: {a|contains: \'"b":1\'}', { a: { b: 1 } }, true],
    ['sel: {a: b.c}', { a: 'z', b: { c: 'z' } }, false],
    ['sel: {a|fieldref: b.c}', { a: 'z', b: { c: 'Z' } }, true],
    ['sel: {a|fieldref|endswith: b}', { a: 'arn/bob', b: 'bob' }, true],
    ['sel: {a|fieldref: b}', {}, false],
    ['sel: {a|cidr: 10.0.0.0/8}', { a: '10.1.2.3' }, true],
    ['sel: {a|cidr: 10.0.0.0/8}', { a: '010.1.2.3' }, false],
    ['sel: {a|cidr: "2001:db8::/32"}', { a: '2001:DB8::1' }, true],
    ['sel: {a|re: ".+:assumed-role/aws:.+"}', { a: 'x:assumed-role/aws:y' }, true],
    ['sel: {a|re|i: "^B"}', { a: 'bob' }, true],
    ['sel: {a|neq: x}', { a: 'y' }, true],
    ['sel: [{a: x}, {b: y}]', { b: 'y' }, true],
    ['sel: [needle, other]', { a: { b: ['hay needle hay'] } }, true],
    ["sel: {'|all': [one, two]}", { a: 'one', b: 'two' }, true],
    ['sel: {a: x, b: y}', { a: 'x' }, false],
    ['one: {a: x}\nnot_two: {b: y}\ncondition: one and not 1 of not_*', { a: 'x' }, true],
    ['one: {a: x}\ntwo: {b: y}\ncondition: all of them', { a: 'x' }, false],
    ['one: {a: x}\n_two: {b: y}\ncondition: all of them', { a: 'x' }, true],
    ['one: {a: x}\ntwo: {b: y}\ncondition: one or (two and not one)', { b: 'y' }, true],
    ['one: {a: x}\ntwo: {b: y}\ncondition: [one, two]', { b: 'y' }, true],
    ['sel: {constructor: "*"}', {}, false],
    ['sel: {__proto__|exists: true}', {}, false],
  ])('%s over %j is %s', (detection, record, expected) => {
    expect(matches(detection, record)).toBe(expected);
  });

  it.each([
    ['sel: {a: b}\ncondition: sel | count() > 5', 'legacy'],
    ['sel: {a: b}\ntimeframe: 10m\ncondition: sel', 'timeframe'],
    ['sel: {a|base64offset: b}', 'modifier "base64offset"'],
    ['sel: {a|expand: "%x%"}', 'modifier "expand"'],
    ['sel: {a|re: "(?=x)"}', 'look-around'],
    ['sel: {a|re: "(a{100}){100}"}', 'too large'],
    ['sel: {a|cidr: nowhere}', 'no network'],
    ['sel: {a|contains: null}', 'null does not go'],
    ['sel: {a: []}', 'no values'],
    ['sel: {a: {b: c}}', 'neither text'],
    ['sel: {a: b}\ncondition: other', 'no selection'],
    ['sel: {a: b}\ncondition: 2 of sel*', 'not supported'],
    ['sel: {a: b}\ncondition: sel and', 'too early'],
    ['sel: {a: b}\ncondition: (sel', 'unmatched'],
    ['sel: {a: b}\ncondition: sel sel', 'not understood'],
  ])('is reported with a reason, not evaluated: %s', (detection, reason) => {
    expect(reasonFor(ruleText(detection))).toContain(reason);
  });

  it.each([
    ['title: [', 'not YAML'],
    ['title: a\ntitle: b', 'not YAML'],
    ['just text', 'not a Sigma rule'],
    ['action: global\ntitle: a', 'legacy'],
    ['title: a\nfilter: {}', 'filters'],
    ['title: a\ndetection: {condition: x}\nlogsource: {product: windows, service: security}', 'windows/security'],
    ['title: a', 'detection'],
    ['title: a\nlevel: grave\ndetection: {sel: {a: b}, condition: sel}', 'level'],
    [`a: &a [x]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]`, 'aliases'],
    ['title: a\ncorrelation: {type: event_count, rules: [x], timespan: 5m, condition: {lt: 3}}', 'correlation'],
    ['title: a\ncorrelation: {type: event_count, rules: [x], timespan: 5m, condition: {gte: 3}}', 'no event rule'],
    ['title: a\ncorrelation: {type: value_count, rules: [x], timespan: 5m, condition: {gte: 3}}', 'field'],
  ])('is reported where the document is no rule: %s', (text, reason) => {
    const { rules, unsupported } = parseRules([{ path: 'r.yml', text }]);

    expect(rules).toEqual([]);
    expect(unsupported[0]?.reason).toContain(reason);
  });

  it.each([
    ['names no rule', 'rules: []'],
    ['is no whole number', 'rules: [base]\n  condition: {gte: }'],
    ['is no whole number', 'rules: [base]\n  condition: {gte: -3}'],
    ['holds without any event', 'rules: [base]\n  condition: {gte: 0}'],
    ['is no span', 'rules: [base]\n  timespan: 0m\n  condition: {gte: 3}'],
    ['correlates "base" twice', 'type: temporal_ordered\n  rules: [base, base]'],
    [
      'correlates "11111111-1111-4111-8111-111111111111" twice',
      'type: temporal\n  rules: [base, 11111111-1111-4111-8111-111111111111]',
    ],
    [
      'the alias "who" names "bose", which is not correlated',
      'type: temporal\n  rules: [base, other]\n  group-by: [who]\n  aliases:\n    who: {bose: a, other: b}',
    ],
  ])('that could never hold, or always would, says so: %s', (reason, body) => {
    const lines = ['type: event_count', 'timespan: 5m'].filter((one) => !body.includes(`${one.split(':')[0]}: `));
    const files = [
      { path: 'base.yml', text: ruleText('sel: {a: x}', 'name: base\nid: 11111111-1111-4111-8111-111111111111\n') },
      { path: 'other.yml', text: ruleText('sel: {a: y}', 'name: other\n') },
      { path: 'burst.yml', text: `title: b\nname: burst\ncorrelation:\n  ${[...lines, body].join('\n  ')}\n` },
    ];
    const { rules, unsupported } = parseRules(files);
    expect(unsupported).toEqual([{ rule: 'burst', reason: expect.stringContaining(reason) }]);
    expect(rules.map(({ name }) => name)).toEqual(['base', 'other']);
  });

  it('is a detection or a correlation, not both', () => {
    const both = 'correlation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 3}}\n';
    expect(reasonFor(ruleText('sel: {a: x}', both))).toContain('both a detection and a correlation');
  });

  it('breaks only itself where it is bad', () => {
    const good = ruleText('sel: {a: b}');
    const bad = ruleText('sel: {a|wide: b}');

    const { rules, unsupported } = parseRules([
      { path: 'one.yml', text: `${good}\n---\n${bad}\n---\n: [\n---\n${good}` },
      { path: 'two.yml', text: good },
    ]);

    expect(rules.map(({ name }) => name)).toEqual(['one.yml', 'one.yml#4', 'two.yml']);
    expect(unsupported.map(({ rule }) => rule)).toEqual(['one.yml#2', 'one.yml#3']);
  });

  it('is told from another of the same file name by its path', () => {
    const text = ruleText('sel: {a: b}');

    const { rules } = parseRules([
      { path: 'a/r.yml', text },
      { path: 'b/r.yml', text },
    ]);

    expect(rules.map(({ name }) => name)).toEqual(['r.yml', 'b/r.yml:r.yml']);
  });

  it('gives tactics and techniques in their own names', () => {
    const tags =
      'tags: [attack.t1098.001, attack.T1136, attack.command-and-control, attack.defense_evasion, attack.g0016, cve.2020-1]';

    const { rules } = parseRules([{ path: 'r.yml', text: ruleText('sel: {a: b}', tags) }]);

    expect(rules[0]).toMatchObject({
      technique: ['T1098.001', 'T1136'],
      tactic: ['Command and Control', 'Defense Evasion'],
    });
  });

  it('never throws, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab:-[]{}|*&\n \'"?!%#>,') }), (text) => {
        const { rules, unsupported } = parseRules([{ path: 'r.yml', text: `title: a\ndetection:\n  ${text}` }]);
        expect(rules.length + unsupported.length).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});
