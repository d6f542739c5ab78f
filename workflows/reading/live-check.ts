/** Whether what a story names is still there: asks AWS for it. */
import { DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { GetRoleCommand, GetUserCommand, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import type { AwsReader } from '#src/contracts/aws.ts';
import { UpstreamError, UserError } from '#src/contracts/errors.ts';
import type { InvestigationContext } from '#src/contracts/investigation.ts';
import { awsErrorFacts, isAwsError } from '#src/domain/aws-errors.ts';
import { everyPage, iamNext } from '#src/domain/pages.ts';
import { type Made, sortOf } from '#src/domain/pivot-created.ts';
import { nameOfArn } from '#src/domain/principal.ts';

type State = Pick<Made, 'state' | 'because'>;

/** Asks AWS whether things exist. Whatever AWS does not tell is "unknown", with the reason; nothing here throws for it. */
export class LiveCheck {
  readonly #ctx: InvestigationContext;
  readonly #readers = new Map<string, Promise<AwsReader>>();

  constructor(ctx: InvestigationContext) {
    this.#ctx = ctx;
  }

  async statesOf(made: readonly Made[]): Promise<readonly Made[]> {
    if (this.#ctx.aws === undefined || made.length === 0) return made;
    this.#ctx.progress('Asking AWS what is still alive');
    const instances = await this.#instances(made.filter((thing) => sortOf(thing) === 'instance'));
    const states: Made[] = [];
    for (const thing of made)
      states.push({ ...thing, ...(instances.get(thing.id) ?? (await this.#identity(thing)) ?? {}) });
    return states;
  }

  async keyState(id: string, accountId: string, user: string): Promise<State> {
    if (this.#ctx.aws === undefined) return { state: 'unknown', because: 'no AWS was asked' };
    return this.#asked('NoSuchEntityException', 'NoSuchEntity', async () => {
      const { iam } = await this.#reader(accountId);
      const keys = await everyPage(async (Marker) => {
        const page = await iam.send(new ListAccessKeysCommand({ UserName: user, Marker }), {
          abortSignal: this.#ctx.signal,
        });
        return { items: page.AccessKeyMetadata, next: iamNext(page) };
      });
      const key = keys.find((entry) => entry.AccessKeyId === id);
      if (!key) return { state: 'gone', because: `user ${user} has no such key` };
      if (key.Status === 'Active') return { state: 'alive', because: 'Active' };
      return { state: 'gone', because: `${key.Status ?? 'not active'}: it cannot be used while it stays so` };
    });
  }

  async #identity(thing: Made): Promise<State | undefined> {
    const name = nameOfArn(thing.id);
    if (thing.kind === 'accessKey' && thing.owner && thing.id.startsWith('AKIA')) {
      return this.keyState(thing.id, thing.accountId, thing.owner);
    }
    if (thing.kind !== 'user' && thing.kind !== 'role') return undefined;
    return this.#asked('NoSuchEntityException', 'NoSuchEntity', async () => {
      const { iam } = await this.#reader(thing.accountId);
      const options = { abortSignal: this.#ctx.signal };
      if (thing.kind === 'user') await iam.send(new GetUserCommand({ UserName: name }), options);
      else await iam.send(new GetRoleCommand({ RoleName: name }), options);
      return { state: 'alive', because: 'it exists now' };
    });
  }

  /** One request per account, Region and 200 ids (the filter's limit). Ids that AWS no longer lists are gone. */
  async #instances(things: readonly Made[]): Promise<ReadonlyMap<string, State>> {
    const states = new Map<string, State>();
    const places = Map.groupBy(things, (thing) => `${thing.accountId} ${thing.region}`);
    for (const all of places.values()) {
      for (let at = 0; at < all.length; at += 200) {
        const batch = all.slice(at, at + 200);
        const found = await this.#asked('', '', async () => this.#describe(batch, states));
        for (const { id } of batch) if (!states.has(id)) states.set(id, found);
      }
    }
    return states;
  }

  /** Notes what is found; returns what the rest is. */
  async #describe(batch: readonly Made[], states: Map<string, State>): Promise<State> {
    const [first] = batch;
    const ec2 = (await this.#reader(first?.accountId ?? '')).ec2(first?.region ?? '');
    const Filters = [{ Name: 'instance-id', Values: batch.map((thing) => thing.id) }];
    const reservations = await everyPage(async (NextToken) => {
      const page = await ec2.send(new DescribeInstancesCommand({ Filters, NextToken }), {
        abortSignal: this.#ctx.signal,
      });
      return { items: page.Reservations, next: page.NextToken };
    });
    for (const instance of reservations.flatMap((reservation) => reservation.Instances ?? [])) {
      const name = instance.State?.Name ?? 'unknown';
      const isGone = name === 'terminated' || name === 'shutting-down';
      states.set(instance.InstanceId ?? '', { state: isGone ? 'gone' : 'alive', because: name });
    }
    return { state: 'gone', because: 'AWS no longer lists it' };
  }

  #reader(accountId: string): Promise<AwsReader> {
    const { aws } = this.#ctx;
    if (aws === undefined || !/^\d{12}$/.test(accountId))
      throw new UserError(`account ${accountId || 'of it'} is not known`);
    const reader = this.#readers.get(accountId) ?? aws.reader(accountId);
    this.#readers.set(accountId, reader);
    return reader;
  }

  async #asked(...[absent, alsoAbsent, ask]: [string, string, () => Promise<State>]): Promise<State> {
    try {
      return await ask();
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      if (isAwsError(error, absent, alsoAbsent)) return { state: 'gone', because: 'AWS says that it does not exist' };
      if (error instanceof UserError) return { state: 'unknown', because: error.message };
      const code = error instanceof UpstreamError ? error.code : awsErrorFacts(error).code;
      return { state: 'unknown', because: `AWS could not be asked (${code})` };
    }
  }
}
