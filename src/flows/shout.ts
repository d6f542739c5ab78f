/** Break-glass is never quiet: the channels and every approver are told who, what and why, before the card is touched. */
import type { Approval } from '../contracts/approval.ts';
import { brokenGlass } from '../domain/break-glass.ts';
import { closedShout, shoutMessage } from '../domain/break-glass-wording.ts';
import { fewOf, placesOf, unlessRefused } from './approval-places.ts';
import { postOnce } from './deliver.ts';
import { deciders, type NoticeDeps, tellEach } from './notify.ts';

/** Does nothing for a plan whose glass is whole. Each message once, whatever crashes in between. Throws UpstreamError while Slack is away. */
export async function shoutBreakGlass(approval: Approval, deps: NoticeDeps): Promise<void> {
  const glass = brokenGlass(approval);
  if (glass === undefined) return;
  const { settings } = deps;
  const account = settings.accounts.find(({ id }) => id === approval.plan.accountId);
  const few = await fewOf(approval, deps);
  const [place] = await placesOf(approval, deps);
  const of = { approval, account, channel: place?.channel ?? approval.channel, few, isClosed: few !== undefined };
  const message = shoutMessage(of, glass);
  const others = (await deciders(of, deps)).filter((id) => id !== glass.userId);
  await tellEach(`notice:${approval.id}:break-glass`, others, message, deps);
  const { critical, default: usual } = settings.channels;
  for (const channel of new Set([usual, critical ?? usual])) {
    const key = `break-glass:${approval.id}:${channel}`;
    // A channel that cannot be written to must not keep the card from being shown.
    await unlessRefused(channel, deps, async () => {
      await postOnce({ key, channel, message: few === undefined ? message : closedShout(approval, glass) }, deps);
    });
  }
}
