/** One update of the baselines in a process of its own, writing often, so that it can be killed in the middle of it. */
import { openPast } from '../../../../src/evidence/lake/past.ts';
import { places } from './places.ts';

const [dataDir = ''] = process.argv.slice(2);
const say = (fields: object, text: string) => process.stderr.write(`${text} ${JSON.stringify(fields)}\n`);
const past = openPast({
  dataDir,
  addresses: async () => places,
  log: { debug: () => undefined, info: say, warn: say, error: say },
  flushAt: 1,
  shardsAtOnce: 1,
});
process.stdout.write(`${await past.update(new AbortController().signal)}\n`);
