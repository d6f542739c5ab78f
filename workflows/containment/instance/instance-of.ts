/** The EC2 instance that an action is about: from typed words, and as EC2 has it. */
import { DescribeInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { ActionContext } from '#src/contracts/action.ts';
import type { AwsReader } from '#src/contracts/aws.ts';
import { NotFoundError, UserError } from '#src/contracts/errors.ts';
import { parseArnStrict } from '#src/domain/arn.ts';
import { everyPage } from '#src/domain/pages.ts';

const instanceId = /^i-([0-9a-f]{8}|[0-9a-f]{17})$/;
/** Regions asked at once: DescribeInstances is throttled per account and Region, not over all of them. */
const regionsAtOnce = 6;

/** The fields that every action on an instance has; actions extend it with what else is typed. */
export const InstanceTarget = z.strictObject({
  instanceId: z.string().regex(instanceId),
  /** Region and account are empty where only the id was given: then the ones that hold it are looked for. */
  region: z.string().regex(/^([a-z]{2}(-[a-z]+)+-\d)?$/),
  accountId: z.string().regex(/^(\d{12})?$/),
});
export type InstanceTarget = z.output<typeof InstanceTarget>;

/** What every pre-state of an instance has. The ARN is the one that the protected list and the session policies know. */
export const InstanceFacts = z.strictObject({
  instanceArn: z.string(),
  region: z.string(),
  partition: z.string(),
  /** pending, running, stopping, stopped, shutting-down or terminated. */
  state: z.string(),
  /** `spot`, `scheduled`, `capacity-block`; empty for an ordinary instance. */
  lifecycle: z.string(),
});
export type InstanceFacts = z.output<typeof InstanceFacts>;

/** An instance out of one word: its id, or its ARN, which also tells account and Region. Throws UserError. */
export function instanceIn(word: string | undefined, usage: string): InstanceTarget {
  const arn = parseArnStrict(word ?? '');
  const id = arn?.service === 'ec2' ? arn.resource.replace(/^instance\//, '') : (word ?? '');
  const read = InstanceTarget.safeParse({
    instanceId: id,
    region: arn?.region ?? '',
    accountId: arn?.accountId ?? '',
  });
  if (!read.success) {
    throw new UserError(
      'Which instance? Name one by its id, i- and 17 (or 8) hexadecimal digits, or by its ARN.',
      `Usage: contain ${usage}`,
    );
  }
  return read.data;
}

/** The same, where the words are that instance and nothing else. Throws UserError. */
export function onlyInstanceIn(words: readonly string[], usage: string): InstanceTarget {
  if (words.length !== 1) throw new UserError('Which instance? Name one.', `Usage: contain ${usage}`);
  return instanceIn(words[0], usage);
}

export function accountOfInstance({ accountId }: InstanceTarget): string | undefined {
  return accountId === '' ? undefined : accountId;
}

/**
 * The instance as EC2 has it, and its Region: the one of the plan, the one that was typed, else all of the account's are asked.
 * Throws NotFoundError where the account does not have it, UpstreamError and what AWS throws where not every Region could be asked.
 */
export async function findInstance(
  target: InstanceTarget,
  { aws, signal, planned, regions }: ActionContext,
): Promise<{ readonly region: string; readonly instance: Instance }> {
  const nowhere = new NotFoundError(`account ${aws.accountId} has no instance ${target.instanceId}`);
  if (target.accountId !== '' && target.accountId !== aws.accountId) throw nowhere;
  if (!instanceId.test(target.instanceId)) throw nowhere;
  const told = typeof planned?.region === 'string' ? planned.region : target.region;
  const waiting = told === '' ? [...(await regions())] : [told];
  let trouble: unknown;
  while (waiting.length > 0) {
    const looks = waiting.splice(0, regionsAtOnce).map(async (region) => ({
      region,
      instance: await describe(target.instanceId, region, aws, signal),
    }));
    for (const look of await Promise.allSettled(looks)) {
      if (look.status === 'rejected') trouble ??= look.reason;
      else if (look.value.instance !== undefined) return { region: look.value.region, instance: look.value.instance };
    }
  }
  // A Region that could not be asked may be the one that has it (safety rule 9).
  if (trouble !== undefined) throw trouble;
  throw nowhere;
}

/** By filter: an id that is not there is then an empty answer and no error. */
async function describe(
  id: string,
  region: string,
  aws: AwsReader,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const Filters = [{ Name: 'instance-id', Values: [id] }];
  const reservations = await everyPage(async (NextToken) => {
    const page = await aws.ec2(region).send(new DescribeInstancesCommand({ Filters, NextToken }), {
      abortSignal: signal,
    });
    return { items: page.Reservations, next: page.NextToken };
  });
  return reservations
    .flatMap((reservation) => reservation.Instances ?? [])
    .find((instance) => instance.InstanceId === id);
}

export function instanceFacts(region: string, instance: Instance, aws: AwsReader): InstanceFacts {
  return {
    instanceArn: instanceArn(instance.InstanceId ?? '', region, aws.accountId, aws.partition),
    region,
    partition: aws.partition,
    state: instance.State?.Name ?? 'unknown',
    lifecycle: instance.InstanceLifecycle ?? '',
  };
}

export function instanceArn(id: string, region: string, accountId: string, partition: string): string {
  return `arn:${partition}:ec2:${region}:${accountId}:instance/${id}`;
}

/** Its tags, in order of key: AWS gives them in none. */
export function tagsOf(instance: Instance): readonly { readonly key: string; readonly value: string }[] {
  return (instance.Tags ?? [])
    .map(({ Key, Value }) => ({ key: Key ?? '', value: Value ?? '' }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
