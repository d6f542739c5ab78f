/**
 * Seeded runs of the containment path against the real store: `npm run runs -- --seed 1 --count 1000`. Prints the states explored, how the
 * approvals ended, and every violation with the seed that shows it; exits with 1 where there is one. `--trace` tells each run.
 */
import { parseArgs } from 'node:util';
import { openRuns } from '../test/support/containment-runs/runs.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
    trace: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.count);
const began = performance.now();
const runs = await openRuns();
const bad: number[] = [];
try {
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await runs.run(seed);
    if (values.trace) console.log(result.trace.join('\n'));
    if (result.violation !== undefined) {
      bad.push(seed);
      console.log(`seed ${seed} (${result.action}${result.calm ? ', nobody meddles' : ''}): ${result.violation}`);
    }
    if ((seed - first + 1) % 100 === 0) console.log(JSON.stringify(runs.figures()));
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(JSON.stringify({ ...runs.figures(), violations: bad.length, seeds: bad, seconds }, undefined, 2));
} finally {
  await runs.close();
}
if (bad.length > 0) process.exitCode = 1;
