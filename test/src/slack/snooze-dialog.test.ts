import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkView } from '../../../demo/slack/block-rules.ts';
import { chosenEnd, hoursWords, snoozeHoursOffered, typedEnd } from '../../../src/domain/snooze-end.ts';
import { snoozeOf, snoozeProblem, snoozeView } from '../../../src/slack/snooze-dialog.ts';

const now = new Date('2026-11-21T10:30:00.000Z');
const asked = (what: string, usual = 24) => ({
  button: 'b1',
  channelId: 'C1',
  what,
  spans: snoozeHoursOffered(usual).map((hours) => ({ hours, label: hoursWords(hours) })),
  usual,
});
const submission = (values: unknown, metadata = JSON.stringify({ button: 'b1', channelId: 'C1' })) => ({
  type: 'view_submission',
  user: { id: 'U1' },
  view: { id: 'V1', callback_id: 'snooze', private_metadata: metadata, state: { values } },
});
const typed = (reason: string | null, hours: string | null, day: string | null) => ({
  'snooze-reason': { reason: { type: 'plain_text_input', value: reason } },
  'snooze-hours': { hours: { type: 'static_select', selected_option: hours === null ? null : { value: hours } } },
  'snooze-day': { day: { type: 'datepicker', selected_date: day } },
});

describe('the dialog of the button Snooze', () => {
  it('keeps every limit of Block Kit, whatever the alert is called and whatever the config offers', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 6_000, unit: 'grapheme' }),
        fc.integer({ min: 1, max: 2_160 }),
        (what, usual) => {
          const verdict = checkView(snoozeView(asked(`Mutes ${what}`, usual)), 'modal');
          expect(verdict).toMatchObject({ ok: true });
        },
      ),
    );
  });

  it("offers an hour, eight, a day and a week, and the config's own span, which is chosen at first", () => {
    const text = JSON.stringify(snoozeView(asked('Mutes x', 48)));
    for (const label of ['1 hour', '8 hours', '24 hours', '7 days', '2 days']) expect(text).toContain(`"${label}"`);
    expect(text).toContain(
      '"initial_option":{"text":{"type":"plain_text","text":"2 days","emoji":false},"value":"48"}',
    );
  });

  it('shows what an attacker named as plain text, with nothing of it in what comes back', () => {
    const view = JSON.stringify(snoozeView(asked('Mutes <!channel> *x* https://evil.example')));
    expect(view).not.toContain('mrkdwn');
    expect((snoozeView(asked('<!channel>')) as { private_metadata: string }).private_metadata).not.toContain(
      'channel>',
    );
  });

  it('reads reason, span and day as they were entered', () => {
    expect(snoozeOf(submission(typed('our scanner', '8', null)), 'k')).toEqual({
      ...{ key: 'k', userId: 'U1', button: 'b1', channelId: 'C1', reason: 'our scanner', hours: 8 },
    });
    expect(snoozeOf(submission(typed(null, null, '2026-12-01')), 'k')).toMatchObject({ reason: '', day: '2026-12-01' });
  });

  it('takes no other body for its own, and trips over none', () => {
    expect(snoozeOf({ ...submission({}), view: { callback_id: 'report' } }, 'k')).toBeUndefined();
    expect(snoozeOf(submission(typed('x', '8', null), 'not json'), 'k')).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (values, metadata) => {
        snoozeOf(submission(values, metadata), 'k');
        snoozeOf({ view: values, user: values }, 'k');
      }),
    );
  });

  it('puts what is wrong at the field that it is about', () => {
    expect(snoozeProblem({ at: 'day', words: 'past' })).toEqual({
      response_action: 'errors',
      errors: { 'snooze-day': 'past' },
    });
  });
});

describe('the end of a snooze', () => {
  it('is so many hours from now, or the end of a day in UTC, which wins', () => {
    expect(chosenEnd({ hours: 8 }, now)).toBe('2026-11-21T18:30:00.000Z');
    expect(chosenEnd({ hours: 8, day: '2026-11-22' }, now)).toBe('2026-11-23T00:00:00.000Z');
    expect(chosenEnd({ day: '2026-11-21' }, now)).toBe('2026-11-22T00:00:00.000Z');
  });

  it('is refused where it lies in the past, beyond 90 days, is no day, or is missing', () => {
    for (const chosen of [{ day: '2026-11-20' }, { day: '2027-03-01' }, { hours: 2_161 }, { hours: 0 }, {}])
      expect(() => chosenEnd(chosen, now)).toThrow();
    expect(() => chosenEnd({ day: '2026-02-31' }, now)).toThrow('not a day of the calendar');
    expect(() => typedEnd('91d', now, 'how')).toThrow('more than 90 days');
    expect(typedEnd('7d', now, 'how')).toBe('2026-11-28T10:30:00.000Z');
  });
});
