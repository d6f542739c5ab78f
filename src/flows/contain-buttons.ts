/** Buttons that ask for containment, minted for what an answer proposes. */
import type { ContainmentAction } from '../contracts/action.ts';
import { UserError } from '../contracts/errors.ts';
import type { Button } from '../contracts/message.ts';
import type { WorkerDeps } from './deps.ts';

export interface Proposed {
  readonly action: string;
  readonly words: readonly string[];
}

/** Whether an action of this name is there and takes the words. */
export function offersOf(actions: readonly ContainmentAction[]) {
  return (name: string, words: readonly string[]): boolean => {
    const action = actions.find((candidate) => candidate.name === name);
    if (action === undefined) return false;
    try {
      action.parse(words);
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  };
}

/** The same `key` and proposal give the same button. Labels hold fixed words and the last four characters of the target only. */
export async function containButtons(
  key: string,
  caseId: string | undefined,
  proposals: readonly Proposed[],
  { store }: Pick<WorkerDeps, 'store'>,
): Promise<readonly Button[]> {
  const buttons: Button[] = [];
  for (const { action, words } of proposals) {
    const target = words.join(' ');
    const end = target.replaceAll(/[^\w]/g, '').slice(-4);
    const verb = action === 'disable-access-key' ? 'disable key' : action.replaceAll('-', ' ');
    const isKey = action === 'disable-access-key';
    buttons.push({
      action: 'contain',
      value: await store.buttons.mint(isKey ? `${key}:contain:${target}` : `${key}:contain:${action} ${target}`, {
        kind: 'contain',
        caseId,
        action,
        words,
      }),
      label: `${verb.charAt(0).toUpperCase()}${verb.slice(1)} …${end}`.slice(0, 30),
      describe: isKey
        ? `Ask to disable the access key ending ${end}`
        : `Ask to ${verb} for the target ending ${end}`.slice(0, 75),
      style: 'danger',
    });
  }
  return buttons;
}
