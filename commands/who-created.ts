/** `/ir who-created`: who made a thing. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const whoCreated = defineCommand({
  name: 'who-created',
  summary: 'Says who made a resource, an identity, a key or a session, from where and with which key.',
  usage: `/ir who-created <ARN | key id | resource id> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one resource, identity, key or session'),
  examples: ['i-0ba42452619fc45aa', 'arn:aws:iam::999999999999:user/pipeline --since 90d'],
  async decide({ words, flags }) {
    return investigateArtifact('who-created', words[0] ?? '', flags);
  },
});
