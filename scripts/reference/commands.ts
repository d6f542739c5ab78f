/** The commands page of the reference, made from the lists and from the program's own help. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { actions } from '#actions';
import { commands } from '#commands';
import { buttonActions } from '#src/contracts/message.ts';
import { fence, generatedBy } from './markdown.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const who = {
  member: 'every full member of the workspace',
  responder: '`responders` and `approvers` of the config; every full member where the config names no responders',
  approver: '`approvers` of the config',
} as const;

/** docs/reference/commands.md */
export function commandsPage(): string {
  const help = execFileSync(process.execPath, [main, 'help'], { encoding: 'utf8' });
  return `${generatedBy('commands/, workflows/containment/ and src/main.ts')}
# Commands

## In Slack: \`/ir\`

${commands.map(commandText).join('\n\n')}

## Containment actions

Each is asked for with \`/ir contain\`, and done only after somebody else has approved the plan.

${actions.map(actionText).join('\n\n')}

## Buttons

The buttons on cards have the \`action_id\`s ${buttonActions.map((name) => `\`${name}\``).join(', ')}. A button carries an
opaque id; what it stands for is in the store.

## In a shell: \`firebreak\`

${fence('text', help)}

\`firebreak ir\` takes the commands above. \`--json\` prints one JSON document. \`--logs DIR\` answers from a folder of CloudTrail
files instead of AWS; it needs no Slack, database, queue or AWS credentials, and without \`--since\` it covers all the time in
the folder. \`firebreak ir contain\` makes the plan, prints the AWS CLI commands and runs nothing: approving needs Slack.
\`firebreak ir freeze --lift <reason>\` lifts a freeze; in Slack that is refused.
`;
}

function commandText(command: (typeof commands)[number]): string {
  const flags = Object.keys(command.options ?? {}).map((flag) => `\`--${flag}\``);
  return [
    `### \`/ir ${command.name}\``,
    command.summary,
    fence('text', command.usage),
    `Who may: ${command.name === 'help' ? 'everybody, guests too' : who[command.role]}.`,
    ...(flags.length === 0 ? [] : [`Flags: ${flags.join(', ')}.`]),
    `Examples:`,
    fence('text', command.examples.map((example) => `/ir ${command.name} ${example}`.trim()).join('\n')),
  ].join('\n\n');
}

function actionText(action: (typeof actions)[number]): string {
  return [
    `### \`${action.name}\``,
    `${action.title} ${action.impact}`,
    fence('text', `/ir contain ${action.usage}`),
    `Approvals: at least ${action.approvals}. ${'reversal' in action ? action.reversal : `It cannot be undone: ${action.irreversible}`}`,
    `Examples:`,
    fence('text', action.examples.map((example) => `/ir contain ${action.name} ${example}`).join('\n')),
  ].join('\n\n');
}
