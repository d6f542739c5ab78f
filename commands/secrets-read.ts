/** `/ir secrets-read`: what has to be rotated. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const secretsRead = defineCommand({
  name: 'secrets-read',
  summary: 'Lists what secrets an actor and every session that it minted read or tried to read, as a rotation list.',
  usage: `/ir secrets-read <ARN | key id | IP> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one identity, key or address'),
  examples: ['AKIAIOSFODNN7EXAMPLE', 'arn:aws:iam::999999999999:role/DevOps --since 15d'],
  async decide({ words, flags }) {
    return investigateArtifact('secrets-read', words[0] ?? '', flags);
  },
});
