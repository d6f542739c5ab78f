/** Where the calls of global services are logged, and what cannot be said without those logs (DOMAIN.md 2.8, 3.5). */
import type { Coverage } from '../contracts/evidence.ts';
import { globalRegion, partitionOfRegion } from './partition.ts';
import type { TriageAnswer } from './triage-answers.ts';
import type { TriageStep } from './triage-steps.ts';

/** IAM and Organizations always, the sign-in of root and the global endpoint of STS: in one Region of the partition. */
const globalServices = new Set([
  'iam',
  'organizations',
  'signin',
  'sts',
  'account',
  'budgets',
  'ce',
  'billingconsole',
  'payments',
]);

/** The Region whose logs are missing; undefined where they were looked at, or nothing is known of Regions. */
function missingRegion({ regions }: Coverage): string | undefined {
  const [first] = regions;
  if (first === undefined) return undefined;
  const wanted = globalRegion(partitionOfRegion(first));
  return regions.includes(wanted) ? undefined : wanted;
}

function isGlobal({ calls }: TriageStep): boolean {
  return calls.some((call) => globalServices.has(call.split(':')[0] ?? ''));
}

/** Logs of other Regions say nothing about calls that only one of them holds: nothing was found is not said of those. */
export function withoutGlobalLogs(
  answers: readonly TriageAnswer[],
  steps: readonly TriageStep[],
  coverage: Coverage,
): { readonly answers: readonly TriageAnswer[]; readonly gaps: readonly string[] } {
  const region = missingRegion(coverage);
  if (region === undefined) return { answers, gaps: [] };
  const blind = new Set(steps.filter(isGlobal).map(({ id }) => id));
  const judged = answers.map((answer) =>
    answer.state === 'nothing-found' && blind.has(answer.id) ? { ...answer, state: 'not-looked-at' as const } : answer,
  );
  const words = `${region}: there are no logs of it here, and the calls of IAM, Organizations and the sign-in are logged there alone`;
  return { answers: judged, gaps: judged.some((answer, at) => answer !== answers[at]) ? [words] : [] };
}
