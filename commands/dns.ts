/** `/ir dns`: what an instance or VPC looked up, and who looked up a domain. */
import { defineCommand } from '#src/contracts/command.ts';
import { investigationOptions, investigationUsage, oneWordArgs, requestOf } from '#src/domain/investigation-flags.ts';
import { networkWord } from '#src/domain/network-word.ts';

export const dns = defineCommand({
  name: 'dns',
  summary: 'Shows which names an instance, VPC or IP looked up, or who looked up a domain.',
  usage: `/ir dns <instance | VPC | IP | domain> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one instance, VPC, IP address or domain'),
  examples: ['i-006f831100a7fb22c', 'vpc-0f7b220f37f9c9e31 --since 15d', 'pool.minergate.example'],
  async decide({ words, flags }) {
    const { kind, id } = networkWord(words[0] ?? '', ['instance', 'vpc', 'address', 'domain']);
    return {
      kind: 'investigate',
      investigation: 'dns',
      request: requestOf({ artifact: id }, flags),
      notice:
        kind === 'domain' ? `Looking for who looked up ${id} or a name below it.` : `Looking for what ${id} looked up.`,
    };
  },
});
