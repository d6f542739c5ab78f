/** `firebreak athena ddl`: the statements that make the tables, for the operator to run or to look at. */
import { loadConfig } from './config.ts';
import { SetupError } from './contracts/errors.ts';
import { ddlOf } from './domain/athena/ddl.ts';
import { openLog } from './log.ts';
import { connectReach } from './wire.ts';

/** Prints SQL on stdout and runs nothing. Regions come from the config, else from AWS. Returns the exit code. */
export async function athenaCommand(words: readonly string[]): Promise<number> {
  if (words[0] !== 'ddl' || words.length > 1) throw new SetupError(['athena takes one word: ddl']);
  const config = loadConfig({ kind: 'cli' });
  if (config.athena === undefined) throw new SetupError([`${config.configPath}: athena is not set`]);
  const regions =
    config.regions.length > 0
      ? config.regions
      : await connectReach(config, openLog('error')).regions(config.athena.accountId);
  const statements = ddlOf(config.athena, regions);
  process.stdout.write(`${statements.map(({ table, sql }) => `-- ${table}\n${sql};\n`).join('\n')}`);
  return 0;
}
