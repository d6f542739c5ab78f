import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import type { Line } from '../../../src/contracts/message.ts';
import { threadNote, updateWorthSaying } from '../../../src/domain/case-story.ts';
import { alertFrom, finding } from '../webhooks/findings.ts';

const before = alertFrom(finding());

function said(changes: Partial<Alert>, from: Partial<Alert> = {}): string | undefined {
  const line = updateWorthSaying({ ...before, ...from }, { ...before, ...changes });
  return line === undefined ? undefined : threadNote(before, line).text.replace(/^.*came again: /, '');
}

describe('an update of a finding', () => {
  it('is not worth a word for a higher count alone', () => {
    expect(said({ count: 4, lastSeen: '2026-11-20T21:30:00.000Z' })).toBeUndefined();
    expect(said({})).toBeUndefined();
    expect(said({ severity: 7.1 }, { severity: 7 })).toBeUndefined();
    expect(said({ severity: 2 })).toBeUndefined();
  });

  it.each<[string, Partial<Alert>, Partial<Alert>]>([
    ['severity rose from Medium 5.0 to High 8.0.', { severity: 8 }, { severity: 5 }],
    ['somebody archived it in GuardDuty.', { archived: true }, {}],
    ['it is no longer archived in GuardDuty.', {}, { archived: true }],
    ['a new remote address: 203.0.113.9.', { remote: [...before.remote, { ip: '203.0.113.9' }] }, {}],
    ['4 new resources: a, b, c and 1 more.', { resourceIds: ['a', 'b', 'c', 'd'] }, {}],
    ['seen 10 times by now.', { count: 10 }, { count: 9 }],
    ['seen 1,204 times by now.', { count: 1204 }, { count: 5 }],
    ['seen again after 6 hours of quiet.', { lastSeen: '2026-11-21T03:04:00.000Z' }, {}],
  ])('says: %s', (words, next, previous) => {
    expect(said(next, previous)).toBe(words);
  });

  it('says all of it in one line', () => {
    const words = said({ severity: 9.5, archived: true, count: 100 });
    expect(words).toBe(
      'severity rose from High 8.0 to Critical 9.5; somebody archived it in GuardDuty; seen 100 times by now.',
    );
  });

  it('puts names from outside into code, cut to size', () => {
    const line: Line = updateWorthSaying(before, { ...before, resourceIds: [`<!channel>${'x'.repeat(500)}`] }) ?? [];
    const code = line.find((part) => part.kind === 'code');
    expect(code?.kind === 'code' && code.text).toMatch(/^<\u2060!channel>x+…\(\d+ more\)$/);
  });
});

describe('a note in the thread', () => {
  it('has a text that stands alone', () => {
    const note = threadNote(before, [{ kind: 'text', text: 'something new.' }]);
    expect(note.text).toBe('High 8.0 finding in account 111122223333: something new.');
    expect(note.parts).toEqual([{ kind: 'lines', lines: [[{ kind: 'text', text: 'something new.' }]] }]);
  });
});
