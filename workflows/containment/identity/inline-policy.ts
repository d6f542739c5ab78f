/** One inline policy of ours on a user or role: read, put, put back. Several actions are that and differ in the document. */
import { GetRolePolicyCommand, GetUserPolicyCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import type { ActionContext, Held } from '#src/contracts/action.ts';
import type { Applied, Direction, DoneCall } from '#src/contracts/approval.ts';
import type { ApiCall, PolicyDocument } from '#src/contracts/aws.ts';
import { UpstreamError } from '#src/contracts/errors.ts';
import { isAwsError } from '#src/domain/aws-errors.ts';
import { canonical } from '#src/domain/canonical.ts';
import { globalRegion } from '#src/domain/partition.ts';
import { policyText } from '#src/domain/policy-text.ts';
import { PrincipalState, type PrincipalTarget, principalState } from './principal.ts';

export const InlineState = PrincipalState.extend({
  /** Our policy's text as IAM has it, empty where there is none. Kept byte for byte, so that undo can put it back. */
  document: z.string(),
});
export type InlineState = z.output<typeof InlineState>;

/** The principal, and our policy on it. Throws as principalState does. */
export async function inlineState(
  target: PrincipalTarget,
  policyName: string,
  ctx: ActionContext,
): Promise<InlineState> {
  const principal = await principalState(target, ctx);
  return { ...principal, document: await documentOf(target, policyName, ctx) };
}

async function documentOf(
  { kind, name }: PrincipalTarget,
  policyName: string,
  { aws, signal }: ActionContext,
): Promise<string> {
  const options = { abortSignal: signal };
  try {
    const { PolicyDocument: text } =
      kind === 'user'
        ? await aws.iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName: policyName }), options)
        : await aws.iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: policyName }), options);
    // IAM always says what a policy holds; "could not look" is never "there is none".
    if (text === undefined) throw new UpstreamError('aws', 'NotAws', "the answer was not IAM's", { retryable: true });
    return policyText(text);
  } catch (error) {
    if (isAwsError(error, 'NoSuchEntityException', 'NoSuchEntity')) return '';
    throw error;
  }
}

/** `document` may hold blanks. */
export function putCall(
  target: PrincipalTarget,
  policyName: string,
  document: object | string,
  partition: string,
): ApiCall {
  return policyCall('Put', target, { PolicyName: policyName, PolicyDocument: document }, partition);
}

/**
 * What restores the policy that was there before ours, or takes ours away. Nothing where it is not ours any more: what somebody
 * has put there since (a newer revocation, say) is not ours to set.
 */
export function restoreCall(
  target: PrincipalTarget,
  policyName: string,
  now: InlineState,
  applied: Applied,
): ApiCall[] {
  const before = String(applied.before.document ?? '');
  const sent = applied.done.findLast(({ call }) => call.input.PolicyName === policyName)?.call.input.PolicyDocument;
  if (before === now.document || !sameDocument(now.document, sent)) return [];
  if (before !== '') return [putCall(target, policyName, before, now.partition)];
  return [policyCall('Delete', target, { PolicyName: policyName }, now.partition)];
}

function policyCall(
  verb: 'Put' | 'Delete',
  { kind, name }: PrincipalTarget,
  more: Readonly<Record<string, unknown>>,
  partition: string,
): ApiCall {
  const who = kind === 'user' ? { UserName: name } : { RoleName: name };
  const operation = `${verb}${kind === 'user' ? 'User' : 'Role'}Policy`;
  return { service: 'iam', operation, region: globalRegion(partition), input: { ...who, ...more } };
}

/** Whether IAM has what the direction wants: the document as it was sent, or the one from before. */
export function holdsDocument(
  direction: Direction,
  _before: InlineState,
  now: InlineState,
  done: readonly DoneCall[],
): Held {
  const sent = done.at(-1)?.call;
  // What nobody sent is not what is there, however alike the two may look.
  if (sent === undefined) return { held: false, because: 'nothing was sent' };
  const wanted = sent.input.PolicyDocument ?? '';
  if (sameDocument(now.document, wanted)) return { held: true };
  const because = direction === 'apply' ? 'as it was sent' : 'as it was before';
  return { held: false, because: `IAM does not show the policy ${because}` };
}

/** The same policy, whatever its spaces. */
function sameDocument(text: string, document: unknown): boolean {
  if (typeof document === 'string' && text === document) return true;
  const a = parsedJson(text);
  const b = typeof document === 'string' ? parsedJson(document) : document;
  return a !== undefined && b !== undefined && canonical(a) === canonical(b);
}

/** Whether IAM's text is this document, with any text where the document has a blank. Whoever may put policies can name one as ours. */
export function isDocument(text: string, document: object): boolean {
  return fits(parsedJson(text), document);
}

function fits(have: unknown, want: unknown): boolean {
  if (typeof want !== 'object' || want === null) return have === want;
  if ('$fill' in want) return typeof have === 'string';
  if (typeof have !== 'object' || have === null || Array.isArray(have) !== Array.isArray(want)) return false;
  const [there, wanted] = [Object.entries(have), want as Readonly<Record<string, unknown>>];
  return there.length === Object.keys(want).length && there.every(([key, value]) => fits(value, wanted[key]));
}

/** Undefined where the text is no JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What its sessions may do: this policy on this principal. */
export function inlineStatements(resource: string | readonly string[], kinds: readonly PrincipalTarget['kind'][]) {
  const Action = kinds.flatMap((kind) => {
    const noun = kind === 'user' ? 'User' : 'Role';
    return [`iam:Delete${noun}Policy`, `iam:Get${noun}`, `iam:Get${noun}Policy`, `iam:Put${noun}Policy`];
  });
  return [{ Effect: 'Allow', Action, Resource: resource }] satisfies PolicyDocument['Statement'];
}

export function inlinePermissions(kinds: readonly PrincipalTarget['kind'][]) {
  const nouns = kinds.map((kind) => (kind === 'user' ? 'User' : 'Role'));
  return {
    read: nouns.flatMap((noun) => [`iam:Get${noun}`, `iam:Get${noun}Policy`]).sort(),
    write: nouns.flatMap((noun) => [`iam:Delete${noun}Policy`, `iam:Put${noun}Policy`]).sort(),
  };
}
