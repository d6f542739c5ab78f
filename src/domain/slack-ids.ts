/** Slack's ids as the config names them. */
import { z } from 'zod';

export const SlackUserId = z.string().regex(/^[UW][A-Z0-9]{2,}$/, 'is not a Slack user id (U... or W...)');
export const SlackGroupId = z.string().regex(/^S[A-Z0-9]{2,}$/, 'is not a Slack user group id (S...)');

/** A channel by id or by name. */
export const SlackChannel = z
  .string()
  .trim()
  .regex(/^([CGD][A-Z0-9]{2,}|#?[\p{L}\p{N}_-]{1,80})$/u, 'is neither a Slack channel id (C...) nor a name (#alerts)');

/** People by id and by user group: a list of both, or two lists. */
export const Crowd = z.union([
  z.array(z.union([SlackUserId, SlackGroupId])).transform((ids) => ({
    users: ids.filter((id) => !id.startsWith('S')),
    groups: ids.filter((id) => id.startsWith('S')),
  })),
  z.strictObject({ users: z.array(SlackUserId).default([]), groups: z.array(SlackGroupId).default([]) }),
]);
export interface Crowd {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}
