import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditRow } from '../../../src/contracts/store.ts';
import { chainAuditEntry, genesisHash, verifyAuditRows } from '../../../src/domain/audit-chain.ts';

const entries = fc.record({
  event: fc.constantFrom('ask', 'plan', 'vote', 'execute'),
  actor: fc.string({ unit: 'binary' }),
  at: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  caseId: fc.option(fc.string(), { nil: undefined }),
  approvalId: fc.option(fc.string(), { nil: undefined }),
  payload: fc.dictionary(fc.string(), fc.jsonValue()),
});

const chains = fc.array(entries, { minLength: 2, maxLength: 8 }).map((list) => {
  const rows: AuditRow[] = [];
  for (const entry of list) rows.push(chainAuditEntry(entry, rows.length + 1, rows.at(-1)?.hash ?? genesisHash));
  return rows;
});

/** Two chains are the same only if they end in the same place with as many rows. */
function sameAsNoted(rows: readonly AuditRow[], noted: readonly AuditRow[]): boolean {
  const verdict = verifyAuditRows(rows);
  return verdict.ok && verdict.rows === noted.length && verdict.head === noted.at(-1)?.hash;
}

describe('the audit chain', () => {
  it('hashes the previous hash and the canonical entry, as documented', () => {
    const row = chainAuditEntry(
      { event: 'ask', actor: 'U1', at: '2026-11-20T10:00:00Z', payload: { b: 1, a: 'é' } },
      1,
      genesisHash,
    );

    // printf '%064d{"actor":"U1","at":"2026-11-20T10:00:00Z","event":"ask","payload":{"a":"é","b":1},"seq":1}' 0 | sha256sum
    expect(row.hash).toBe('2d49a810215294cfefb2ba26b0fda092522a0f17eaae20a09f4b60f977239b73');
  });

  it('accepts what was chained, whole and in pieces, also after a trip through JSON', () => {
    fc.assert(
      fc.property(chains, fc.nat(), (rows, cut) => {
        const at = cut % rows.length;
        const before = rows[at - 1];
        expect(sameAsNoted(rows, rows)).toBe(true);
        expect(sameAsNoted(JSON.parse(JSON.stringify(rows)), rows)).toBe(true);
        expect(verifyAuditRows(rows.slice(at), before && { seq: before.seq, hash: before.hash }).ok).toBe(true);
      }),
    );
  });

  it('finds a field that no hash covers', () => {
    const row = chainAuditEntry(
      { event: 'vote', actor: 'U1', at: '2026-11-20T10:00:00Z', payload: {} },
      1,
      genesisHash,
    );
    const forged = JSON.parse(JSON.stringify({ ...row, approvedBy: 'U2' }));

    expect(verifyAuditRows([forged])).toEqual({
      ok: false,
      seq: 1,
      because: 'Entry 1 holds what no hash covers: approvedBy.',
    });
  });

  it('finds any changed field', () => {
    fc.assert(
      fc.property(
        chains,
        fc.nat(),
        fc.constantFrom('event', 'actor', 'at', 'caseId', 'approvalId', 'prevHash', 'hash'),
        (rows, pick, field) => {
          const index = pick % rows.length;
          const forged = rows.map((row, n) =>
            n === index ? { ...row, [field]: `${row[field as keyof AuditRow]}x` } : row,
          );
          expect(verifyAuditRows(forged)).toMatchObject({ ok: false });
        },
      ),
    );
  });

  it('finds any changed payload', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.string(), fc.jsonValue(), (rows, pick, key, value) => {
        const index = pick % rows.length;
        const changed = { ...rows[index]?.payload, [`${key}+`]: value };
        fc.pre(JSON.stringify(changed) !== JSON.stringify(rows[index]?.payload));
        const forged = rows.map((row, n) => (n === index ? { ...row, payload: changed } : row));
        expect(verifyAuditRows(forged)).toMatchObject({ ok: false, seq: index + 1 });
      }),
    );
  });

  it('finds any removed, doubled or moved entry; a removed tail by the head that was noted elsewhere', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), (rows, from, to) => {
        const [source, target] = [from % rows.length, to % rows.length];
        const removed = rows.toSpliced(source, 1);
        expect(sameAsNoted(removed, rows)).toBe(false);
        if (source < rows.length - 1) expect(verifyAuditRows(removed).ok).toBe(false);
        expect(verifyAuditRows(rows.toSpliced(target, 0, rows[source] as AuditRow)).ok).toBe(false);
        fc.pre(source !== target);
        expect(verifyAuditRows(removed.toSpliced(target, 0, rows[source] as AuditRow)).ok).toBe(false);
      }),
    );
  });

  it('finds an entry that was written over and hashed again, by the entry after it', () => {
    fc.assert(
      fc.property(chains, entries, (rows, entry) => {
        const first = rows[0] as AuditRow;
        const forged = chainAuditEntry(entry, 1, genesisHash);
        fc.pre(forged.hash !== first.hash);
        expect(verifyAuditRows([forged, ...rows.slice(1)])).toMatchObject({ ok: false, seq: 2 });
      }),
    );
  });

  it('names the first break and says what it is', () => {
    const one = chainAuditEntry({ event: 'ask', actor: 'U1', at: 'x', payload: {} }, 1, genesisHash);
    const two = chainAuditEntry({ event: 'plan', actor: 'U1', at: 'x', payload: {} }, 2, one.hash);
    const lone = { ...two, actor: '\ud800' };

    expect(verifyAuditRows([two])).toMatchObject({ ok: false, seq: 2, because: expect.stringContaining('removed') });
    expect(verifyAuditRows([one, lone])).toMatchObject({
      ok: false,
      seq: 2,
      because: expect.stringContaining('changed'),
    });
    expect(verifyAuditRows([])).toEqual({ ok: true, rows: 0, head: genesisHash });
  });
});
