/** `/ir entry`: the likely way in. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const entry = defineCommand({
  name: 'entry',
  summary: 'Looks for the likely way in, with the evidence for each guess and how sure it is.',
  usage: `/ir entry <ARN | key id | resource id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one identity, key or resource'),
  examples: ['AKIAIOSFODNN7EXAMPLE --since 15d', 'arn:aws:iam::999999999999:user/pipeline'],
  async decide({ words, flags }) {
    return investigateArtifact('entry', words[0] ?? '', flags);
  },
});
