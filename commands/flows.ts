/** `/ir flows`: who an instance or address talked to. */
import { defineCommand } from '#src/contracts/command.ts';
import { investigationOptions, investigationUsage, oneWordArgs, requestOf } from '#src/domain/investigation-flags.ts';
import { networkWord } from '#src/domain/network-word.ts';

export const flows = defineCommand({
  name: 'flows',
  summary:
    'Shows who an instance, network interface or IP talked to: bytes, ports, accepted or rejected, unusual outflow.',
  usage: `/ir flows <instance | eni | IP> ${investigationUsage}`,
  role: 'responder',
  options: investigationOptions,
  args: oneWordArgs('name one instance, network interface or IP address'),
  examples: ['i-006f831100a7fb22c', '203.0.113.99 --since 15d', 'eni-0a1b2c3d4e5f60718'],
  async decide({ words, flags }) {
    const { kind, id } = networkWord(words[0] ?? '', ['instance', 'interface', 'address']);
    return {
      kind: 'investigate',
      investigation: 'flows',
      request: requestOf({ artifact: id }, flags),
      notice: `Looking for who talked to ${id}, taken for ${kind === 'interface' ? 'a network interface' : `an ${kind}`}.`,
    };
  },
});
