/**
 * One life of a process: everything that it asks of the outside goes through `ask`, where it may die, before or after the other side has
 * done it. Once dead it does nothing more: what its code would do in a `finally` never happens.
 */
import { UpstreamError } from '../../../src/contracts/errors.ts';
import type { Random } from './random.ts';

export class Crash extends Error {
  override readonly name = 'Crash';
}

export interface Rates {
  /** The process dies at a call. */
  readonly crash: number;
  /** The database, the queue or Slack fails; half of the times after it has done what was asked. */
  readonly outage: number;
  /** Something happens elsewhere while a call is on its way. */
  readonly event: number;
  readonly readFails: number;
  readonly writeFails: number;
  /** AWS refuses a write for good. */
  readonly refused: number;
}

export class Process {
  isDead = false;
  readonly rates: Rates;
  /** What happens elsewhere, between two calls of this process. */
  readonly #event: (random: Random) => Promise<void>;

  constructor(rates: Rates, event: (random: Random) => Promise<void>) {
    this.rates = rates;
    this.#event = event;
  }

  alive(): void {
    if (this.isDead) throw new Crash('dead');
  }

  die(): never {
    this.isDead = true;
    throw new Crash('died');
  }

  /** Asks the outside. `service` undefined: it does not fail by itself. */
  async ask<T>(random: Random, service: string | undefined, work: () => Promise<T>): Promise<T> {
    this.alive();
    const { crash, outage, event } = this.rates;
    if (random.chance(event)) await this.#event(random);
    if (random.chance(crash)) this.die();
    const fails = service !== undefined && random.chance(outage);
    const lost = random.chance(0.5);
    const failure = () =>
      new UpstreamError(service ?? '', service === 'slack' ? 'ambiguous' : 'DOWN', 'down', { retryable: true });
    if (fails && !lost) throw failure();
    const answer = await work();
    this.alive();
    if (random.chance(crash)) this.die();
    if (fails) throw failure();
    return answer;
  }

  /** An object of functions, and of such objects, each asked through `ask`. */
  ports<T extends object>(random: Random, service: string, of: T): T {
    return new Proxy(of, {
      get: (target, name) => {
        const found = Reflect.get(target, name) as unknown;
        if (typeof found === 'object' && found !== null) return this.ports(random, service, found);
        if (typeof found !== 'function') return found;
        return (...input: unknown[]) =>
          this.ask(random, service, async () => (await found.apply(target, input)) as unknown);
      },
    });
  }
}
