/**
 * One question to a lake in a process of its own, which loads nothing else; `bench/lake.ts` measures how long it takes.
 *
 *   node bench/first-question.ts '{"kind":"ip","id":"198.51.100.7"}' DATA_DIR
 */
import type { Artifact } from '../src/contracts/artifact.ts';
import { openLakeEvidence } from '../src/evidence/lake/lake.ts';

const [question = '', dataDir = ''] = process.argv.slice(2);
const evidence = await openLakeEvidence({
  dataDir,
  window: {},
  maxEvents: 5_000_000,
  log: { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error },
  signal: new AbortController().signal,
});
const records = await evidence.recordsOf(JSON.parse(question) as Artifact);
console.log(records.length);
