/** `/ir instance`: the dossier of an EC2 instance. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const instance = defineCommand({
  name: 'instance',
  summary:
    'Says who made an instance, of what, what is open, what its role can do, what its script does, and its siblings.',
  usage: `/ir instance <instance id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one instance'),
  examples: [
    'i-01322c68018965d77 --since 15d',
    'i-0f3a9c1be57d20466',
    'arn:aws:ec2:eu-west-1:999999999999:instance/i-0c77be3d1a2f40915',
  ],
  async decide({ words, flags }) {
    return investigateArtifact('instance', words[0] ?? '', flags);
  },
});
