/** `/ir changes`: what changed on a resource. */
import { defineCommand } from '#src/contracts/command.ts';
import { configSubject } from '#src/domain/config-history.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const changes = defineCommand({
  name: 'changes',
  summary: 'Shows what changed on a resource, from AWS Config, each change with the call that may have made it.',
  usage: `/ir changes <resource id | ARN> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one resource'),
  examples: ['i-006f831100a7fb22c', 'arn:aws:iam::999999999999:user/pipeline --since 15d'],
  async decide({ words, flags }) {
    const word = words[0] ?? '';
    configSubject(word);
    return investigateArtifact('changes', word, flags, { accounts: flags.accounts ?? [] });
  },
});
