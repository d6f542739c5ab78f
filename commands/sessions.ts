/** `/ir sessions`: chains of sessions. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const sessions = defineCommand({
  name: 'sessions',
  summary: 'Shows the chains of sessions minted from an artifact, what minted it, and until when each works.',
  usage: `/ir sessions <ARN | key id | instance id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one identity, key or instance'),
  examples: ['AKIAIOSFODNN7EXAMPLE', 'arn:aws:iam::999999999999:role/DevOps --since 15d'],
  async decide({ words, flags }) {
    return investigateArtifact('sessions', words[0] ?? '', flags);
  },
});
