/** serve | ir | import | audit | athena | rules | deadletters | doctor: parses the arguments and hands over. */
import { parseArgs } from 'node:util';
import { SetupError, UpstreamError, UserError } from './contracts/errors.ts';
import { redactText } from './domain/redaction.ts';

const usage = `Firebreak: AWS incident response in Slack

  firebreak serve [--role all|web|worker|executor]   run the bot
  firebreak ir <command> ... [--json] [--logs DIR]   ask without Slack; "firebreak ir help" lists the commands
               [--format json|dot|mermaid|csv|timesketch]   the answer for another tool
  firebreak ir contain|undo ... --as ID --code CODE  ask for a plan while Slack is down; approve|reject|withdraw|record APPROVAL too
  firebreak import DIR|s3://bucket/prefix            read CloudTrail, flow and DNS logs into the data folder [--since T --until T --accounts A,.. --regions R,..]
  firebreak audit verify [FILE] [--holds HASH] [--anchors]   check the hash chain of the audit, or of an exported file
  firebreak audit export                             print the audit as JSON lines
  firebreak athena ddl                               print the CREATE TABLE statements for the config's Athena tables
  firebreak rules lint|test|coverage [DIR]           check detection rules, run their tests, show what they cover
  firebreak rules sql RULE --dialect athena|duckdb   print the SQL of rules, to run it by hand [--since T --until T --accounts A,.. --regions R,..]
  firebreak deadletters [list|show ID|replay ID|replay all]   what was received and could not be taken
  firebreak enroll <Slack user id>                   give a person one-time codes for approvals
  firebreak migrate [--roles]                        bring a database up to date as its owner; --roles makes the two roles of the processes
  firebreak grants                                   print the SQL of those roles
  firebreak doctor                                   check the installation

Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 answered, but not everything could be looked at.
`;

const roles = ['all', 'web', 'worker', 'executor'] as const;

async function main(argv: readonly string[]): Promise<number> {
  const [subcommand, ...rest] = argv;
  switch (subcommand) {
    case 'serve': {
      const { values } = parseArgs({
        args: [...rest],
        options: { role: { type: 'string', default: 'all' } },
        strict: true,
      });
      const role = roles.find((name) => name === values.role);
      if (role === undefined) throw new SetupError([`--role ${values.role} is none of ${roles.join(', ')}`]);
      return (await import('./serve.ts')).serve(role === 'all' ? ['web', 'worker', 'executor'] : [role]);
    }
    case 'ir': {
      const host = await import('./host-command.ts');
      return host.isHostCommand(rest) ? host.hostCommand(rest) : (await import('./ask.ts')).ask(rest);
    }
    case 'import':
      return (await import('./import-command.ts')).importCommand(rest);
    case 'audit':
      return (await import('./audit-commands.ts')).auditCommand(rest);
    case 'athena':
      return (await import('./athena-command.ts')).athenaCommand(rest);
    case 'rules':
      return (await import('./rules-command.ts')).rulesCommand(rest);
    case 'deadletters':
      return (await import('./dead-letter-commands.ts')).deadLetterCommand(rest);
    case 'enroll':
      return (await import('./enroll-command.ts')).enrollCommand(rest);
    case 'migrate':
      return (await import('./migrate-command.ts')).migrateCommand(rest);
    case 'grants':
      return (await import('./migrate-command.ts')).grantsCommand();
    case 'doctor':
      return (await import('./doctor.ts')).doctor();
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage);
      return subcommand === undefined ? 2 : 0;
    default:
      throw new SetupError([`there is no subcommand "${subcommand.slice(0, 40)}"`, usage]);
  }
}

// Started by the launcher under an older Node: when that process is killed, this one must go at once as well.
if (process.channel !== undefined && process.channel !== null) {
  process.channel.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

// Whoever reads it has heard enough (`| head`): the command goes on to its end, where it lets go of the database.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = explain(error);
}

function explain(error: unknown): number {
  const say = (text: string) => process.stderr.write(`${redactText(text)}\n`);
  if (error instanceof SetupError) {
    for (const problem of error.problems) say(`firebreak: ${problem}`);
    return 2;
  }
  if (error instanceof UserError) {
    say(`firebreak: ${error.message}`);
    if (error.hint !== undefined) say(error.hint);
    return 2;
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS')) {
    say(`firebreak: ${(error as Error).message}`);
    return 2;
  }
  // What another service did not do is no fault of the code: a stack would only hide the sentence.
  if (error instanceof UpstreamError) say(`firebreak: ${error.message}`);
  else if (error instanceof Error && '$fault' in error) say(`firebreak: AWS answered ${error.name}: ${error.message}`);
  else say(`firebreak: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}
