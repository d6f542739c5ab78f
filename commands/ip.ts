/** `/ir ip`: the dossier of an address. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const ip = defineCommand({
  name: 'ip',
  summary: 'Says where an address is, whose it is, whether it is one of yours, and which principals used it.',
  usage: `/ir ip <address> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one address'),
  examples: ['203.0.113.99 --since 15d', '172.31.81.20'],
  async decide({ words, flags }) {
    return investigateArtifact('ip', words[0] ?? '', flags);
  },
});
