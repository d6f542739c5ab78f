/** What every investigation must hold, walked over the list. Each is run as its command's examples ask, against real wire protocols. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../commands/index.ts';
import { planReads, reachReads } from '../../scripts/reference/permissions.ts';
import { systemClock } from '../../src/clock.ts';
import type { InvestigationRequest } from '../../src/contracts/command.ts';
import type { Investigation } from '../../src/contracts/investigation.ts';
import { interpret, wordsOf } from '../../src/domain/words.ts';
import { openLookupEvidence } from '../../src/evidence/lookup.ts';
import { actions } from '../../workflows/containment/index.ts';
import { investigations } from '../../workflows/investigation/index.ts';
import { camelCase, exportsOf, unitsIn } from '../fakes/folder.ts';
import { quietLog } from '../fakes/quiet-log.ts';
import { openWatchedAccount, type WatchedAccount } from '../fakes/watched-account.ts';

const units: readonly Investigation[] = investigations;
const reading = /^[a-z0-9-]+:(Get|List|Describe|Lookup)[A-Za-z]+$/;

/** What the examples of all commands ask of this investigation. */
async function requestsFor(name: string): Promise<readonly InvestigationRequest[]> {
  const requests: InvestigationRequest[] = [];
  for (const command of commands) {
    for (const example of command.examples) {
      const { args } = interpret([command.name, ...wordsOf(example)], commands);
      const outcome = await command.decide(args, { now: new Date(), commands, actions });
      if (outcome.kind === 'investigate' && outcome.investigation === name) requests.push(outcome.request);
    }
  }
  return requests;
}

describe('the list of investigations', () => {
  it('is what the folder holds', () => {
    expect(units.map((unit) => unit.name).sort()).toEqual(unitsIn('workflows/investigation'));
  });
});

describe.each(units.map((unit) => [unit.name, unit] as const))('the investigation %s', (name, unit) => {
  let account: WatchedAccount;
  beforeAll(async () => {
    account = await openWatchedAccount();
  });
  afterAll(() => account?.close());

  async function run(request: InvestigationRequest) {
    const { signal } = new AbortController();
    const now = new Date();
    const evidence = openLookupEvidence({
      reach: account.reach,
      accounts: [account.accountId],
      regions: request.regions,
      window: { from: new Date(now.getTime() - 7 * 86_400_000).toISOString(), to: now.toISOString() },
      budget: { maxRequests: 5_000, maxEvents: 100_000 },
      reserveSlot: () => Promise.resolve(0),
      clock: systemClock,
      signal,
      log: quietLog,
    });
    const { inventory } = account;
    const ctx = { evidence, aws: account.reach, inventory, signal, progress: () => undefined, now: () => now };
    return unit.run(unit.target.parse(request.target), ctx);
  }

  it('is exported by its file under its own name', async () => {
    expect(await exportsOf('workflows/investigation', name)).toHaveProperty(camelCase(name), unit);
  });

  it('has a title for messages, and asks for reading rights only', () => {
    expect(unit.title).toMatch(/^[A-Z][^\n.]{1,59}$/);
    for (const permission of unit.permissions) expect(permission).toMatch(reading);
    expect(new Set(unit.permissions).size).toBe(unit.permissions.length);
  });

  it('can be asked for by a command', async () => {
    expect(await requestsFor(name)).not.toHaveLength(0);
  });

  it('calls what its permissions name, all of it and nothing else, under the documented audit role', async () => {
    for (const request of await requestsFor(name)) {
      const report = await run(request);

      expect(report.headline).toMatch(/^\S[^\n]*\.$/);
      expect(report.coverage.sources.filter((source) => source.failed)).toEqual([]);
      for (const proposal of report.proposals) expect(unitsIn('workflows/containment')).toContain(proposal.action);
    }

    const own = account.audited().filter((action) => !(reachReads as readonly string[]).includes(action));
    expect(own).toEqual([...unit.permissions].sort());
    expect(account.responded()).toEqual([]);
    expect(account.aws.calls.filter((call) => call.error === 'AccessDenied')).toEqual([]);
  });

  it('is answered without AWS as well, with what was not looked at', async () => {
    const [request] = await requestsFor(name);
    const { signal } = new AbortController();
    const evidence = {
      recordsOf: () => Promise.resolve([]),
      coverage: () => ({
        complete: false,
        accounts: [],
        regions: [],
        from: '',
        to: '',
        sources: [],
        badFiles: [],
        notLookedAt: ['everything'],
      }),
      progress: () => ({ regionsDone: 0, regions: 0, eventsRead: 0, requests: 0 }),
    };

    const report = await unit.run(unit.target.parse(request?.target), {
      evidence,
      aws: undefined,
      signal,
      progress: () => undefined,
      now: () => new Date(),
    });

    expect(report.coverage).toMatchObject({ complete: false, notLookedAt: expect.arrayContaining(['everything']) });
  });
});

it('plans are read with rights that investigations declare too', () => {
  expect(units.flatMap((unit) => unit.permissions)).toEqual(expect.arrayContaining([...planReads]));
});
