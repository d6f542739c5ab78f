/** `/ir alive`: what of an actor's credentials still works. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const alive = defineCommand({
  name: 'alive',
  summary: 'Shows which credentials of an actor still work, until when, and the step that would end each.',
  usage: `/ir alive <ARN | key id | instance id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one identity, key, session or instance'),
  examples: [
    'AKIAIOSFODNN7EXAMPLE',
    'arn:aws:iam::999999999999:user/reporting',
    'arn:aws:iam::999999999999:role/DevOps --since 15d',
  ],
  async decide({ words, flags }) {
    return investigateArtifact('alive', words[0] ?? '', flags);
  },
});
