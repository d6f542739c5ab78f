/** `/ir who`: the dossier of an identity. */
import { defineCommand } from '#src/contracts/command.ts';
import {
  investigateArtifact,
  investigationOptions,
  investigationUsage,
  oneWordArgs,
} from '#src/domain/investigation-flags.ts';

export const who = defineCommand({
  name: 'who',
  summary: 'Says who an identity is, what it can do, how it usually acts and what is different this time.',
  usage: `/ir who <ARN of a user, role, session or root> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one user, role, session or root user'),
  examples: [
    'arn:aws:iam::999999999999:user/pipeline --since 15d',
    'arn:aws:iam::999999999999:user/JaneDoe',
    'arn:aws:iam::999999999999:user/reporting',
    'arn:aws:sts::999999999999:assumed-role/DevOps/MaryMajor',
  ],
  async decide({ words, flags }) {
    return investigateArtifact('who', words[0] ?? '', flags);
  },
});
