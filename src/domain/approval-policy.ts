/**
 * The config's rules of approval (`policies`): per action, account and environment who may ask, who may approve, how many, until
 * when, with what proof, and what is forbidden. All rules that match hold together; the stricter one wins, and an explicit
 * "forbidden" wins over everything.
 */
import { z } from 'zod';
import type { ContainmentAction } from '../contracts/action.ts';
import { type BreakGlass, BreakGlassRule, breakGlassOf } from './break-glass.ts';
import { globMatch } from './glob.ts';
import { Crowd } from './slack-ids.ts';

const Names = z.array(z.string().trim().min(1)).min(1);

export const PolicyRule = z.strictObject({
  /** Names of actions, `*` for any characters. Left out: all. */
  actions: Names.optional(),
  /** Left out: all. */
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'is not a 12-digit account id'))
    .min(1)
    .optional(),
  environments: Names.optional(),
  /** Why it is never done from here. */
  forbidden: z.string().trim().min(1).optional(),
  /** Who may ask, of those who may ask at all. */
  ask: Crowd.optional(),
  /** Who may approve, of those who may approve at all. */
  approve: Crowd.optional(),
  required: z.number().int().min(1).max(5).optional(),
  expiryMinutes: z
    .number()
    .int()
    .min(1)
    .max(24 * 60)
    .optional(),
  stepUp: z.boolean().optional(),
  /** A lone on-call may approve his own wish, with a one-time code, where the action can be undone. */
  alone: z.boolean().optional(),
  /** Who may approve alone with a reason when nobody else answers. Left out: nobody; false: nobody, whatever another rule says. */
  breakGlass: BreakGlassRule.optional(),
});
export type PolicyRule = z.output<typeof PolicyRule>;

/** What the rules come to for one plan. */
export interface Rights {
  readonly forbidden: string | undefined;
  /** Each must hold. */
  readonly ask: readonly Crowd[];
  readonly approve: readonly Crowd[];
  readonly required: number;
  /** Undefined: the ordinary time. */
  readonly expiryMinutes: number | undefined;
  readonly stepUp: boolean;
  readonly alone: boolean;
  /** Undefined: there is none for this plan. */
  readonly breakGlass: BreakGlass | undefined;
}

export interface Asked {
  readonly action: Pick<ContainmentAction, 'name' | 'kind'>;
  readonly isReversible: boolean;
  readonly accountId: string;
  readonly environment: string | undefined;
}

/** `stepUp` are the actions of `approvers.stepUp`, which ask for a code wherever they run. */
export function rightsFor(rules: readonly PolicyRule[], stepUp: readonly string[], asked: Asked): Rights {
  const { action, accountId, environment, isReversible } = asked;
  const matching = rules.filter(
    (rule) =>
      (rule.actions === undefined || rule.actions.some((pattern) => globMatch(pattern, action.name))) &&
      (rule.accounts === undefined || rule.accounts.includes(accountId)) &&
      (rule.environments === undefined || (environment !== undefined && rule.environments.includes(environment))),
  );
  const shortest = Math.min(...matching.map((rule) => rule.expiryMinutes ?? Number.POSITIVE_INFINITY));
  // One rule that allows it is not enough: whoever forbids being alone has said nothing, so all that speak must allow it.
  const alone = matching.filter((rule) => rule.alone !== undefined);
  const needsCode =
    stepUp.some((pattern) => globMatch(pattern, action.name)) || matching.some((rule) => rule.stepUp === true);
  const required = Math.max(1, ...matching.map((rule) => rule.required ?? 1));
  const forbidden = matching.find((rule) => rule.forbidden !== undefined)?.forbidden;
  const isFinal = !isReversible || action.kind === 'eradication';
  return {
    forbidden,
    ask: matching.flatMap((rule) => rule.ask ?? []),
    approve: matching.flatMap((rule) => rule.approve ?? []),
    required,
    expiryMinutes: Number.isFinite(shortest) ? shortest : undefined,
    stepUp: needsCode,
    alone: !isFinal && required === 1 && alone.length > 0 && alone.every((rule) => rule.alone),
    breakGlass:
      isFinal || forbidden !== undefined ? undefined : breakGlassOf(matching.flatMap((rule) => rule.breakGlass ?? [])),
  };
}
