/** `/ir key`: the dossier of an access key. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const key = defineCommand({
  name: 'key',
  summary: 'Says whose an access key is, how old, when last used, what it did and what it minted.',
  usage: `/ir key <key id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one access key id'),
  examples: ['AKIAIOSFODNN7EXAMPLE --since 15d'],
  async decide({ words, flags }) {
    return investigateArtifact('key', words[0] ?? '', flags);
  },
});
