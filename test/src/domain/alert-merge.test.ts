import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/contracts/alert.ts';
import { mergedAlert } from '../../../src/domain/alert-merge.ts';
import { parseAlertEvent } from '../../../src/webhooks/alert-event.ts';
import { exposedKey, guardDutyCopy, imported } from '../webhooks/events.ts';
import { finding } from '../webhooks/findings.ts';

function read(event: unknown): Alert {
  const parsed = parseAlertEvent(event);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.alerts[0]?.alert as Alert;
}

const native = read(finding());
const copy = read(imported(guardDutyCopy({ UpdatedAt: '2026-11-21T00:00:00Z', Workflow: { Status: 'SUPPRESSED' } })));

describe('an alert that comes again', () => {
  it('is replaced by its later version, and stays as it is for an earlier one', () => {
    const later = { ...native, updatedAt: '2026-11-20T22:00:00.000Z', count: 9 };
    expect(mergedAlert(native, later)).toBe(later);
    expect(mergedAlert(later, native)).toBe(later);
  });

  it('keeps the original of a later copy, and takes from the copy that it was suppressed', () => {
    const merged = mergedAlert(native, copy);
    expect(merged).toMatchObject({ source: 'guardduty', suppressed: true, updatedAt: native.updatedAt });
  });

  it('is the original that arrives after its copy', () => {
    expect(mergedAlert(copy, native)).toMatchObject({ source: 'guardduty', suppressed: true });
  });

  it('gets a new version of the original although the copy said something in between', () => {
    const later = { ...native, updatedAt: '2026-11-20T21:30:00.000Z', count: 4 };
    expect(mergedAlert(mergedAlert(native, copy), later).count).toBe(4);
  });

  it('adds up the pages of a Health event, in any order', () => {
    const [one, two] = [
      read(exposedKey({ affectedEntities: [{ entityValue: 'AKIAIOSFODNN7EXAMPLE' }], page: '1' })),
      read(exposedKey({ affectedEntities: [{ entityValue: 'AKIAIOSFODNN7EXAMPL2' }], page: '2' })),
    ];
    for (const merged of [mergedAlert(one, two), mergedAlert(two, one)]) {
      expect([...(merged.accessKeys ?? [])].sort()).toEqual(['AKIAIOSFODNN7EXAMPL2', 'AKIAIOSFODNN7EXAMPLE']);
    }
  });
});
