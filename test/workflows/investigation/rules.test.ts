import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../detections/index.ts';
import { plainText } from '../../../src/domain/plain-text.ts';
import { rules } from '../../../workflows/investigation/rules.ts';
import { record, user } from '../../src/domain/pivot-records.ts';

const coverage = {
  complete: true,
  accounts: [],
  regions: [],
  from: '',
  to: '',
  sources: [],
  badFiles: [],
  notLookedAt: [],
};

function run(pick: string, files: readonly { readonly path: string; readonly text: string }[] = []) {
  const stop = () =>
    record({ eventName: 'StopLogging', eventSource: 'cloudtrail.amazonaws.com', userIdentity: user('mallory') });
  return rules.run(rules.target.parse({ pick }), {
    evidence: {
      recordsOf: () => Promise.resolve([]),
      async *all() {
        for (let n = 0; n < 3; n += 1) yield stop();
      },
      coverage: () => coverage,
      progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
    },
    aws: undefined,
    rules: files,
    signal: new AbortController().signal,
    progress: () => undefined,
    now: () => new Date(),
  });
}

describe('the question for the rules', () => {
  it('says how often each would have fired', async () => {
    const { answer, headline } = await run('all');

    expect(answer.rules[0]).toMatchObject({ rule: 'cloudtrail-logging-stopped', matches: 3, principals: 1 });
    expect(headline).toMatch(/^\d+ rules, of which 1 would have fired in this window\.$/);
  });

  it('shows what they cover as a layer of the ATT&CK Navigator', async () => {
    const { answer } = await run('T1562.008');

    expect(answer.layer).toMatchObject({ domain: 'enterprise-attack', versions: { layer: '4.5' } });
    expect(answer.layer.techniques).toContainEqual(expect.objectContaining({ techniqueID: 'T1562.008', score: 5 }));
  });

  it('names what is wrong with rules of the operator, and has nothing to say against its own', async () => {
    const { answer, parts, headline } = await run('all', [
      { path: 'good.yml', text: 'title: Mine\ndetection: {sel: {a: b}, condition: sel}' },
      { path: 'bad.yml', text: 'title: Old\ndetection: {sel: {a: b}, condition: sel | count() > 5}' },
    ]);

    expect(new Set(answer.warnings.map(({ rule }) => rule))).toEqual(new Set(['good.yml']));
    expect(answer.warnings).toHaveLength(3);
    expect(answer.unsupportedRules).toHaveLength(1);
    expect(plainText({ text: headline, parts })).toContain('bad.yml is not evaluated');
    expect((await run('all')).answer.warnings).toEqual([]);
    expect(catalogue().unsupported).toEqual([]);
  });
});
