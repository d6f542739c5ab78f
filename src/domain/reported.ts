/** What GuardDuty reports of an account, beside what its logs show. */
import type { Part } from '../contracts/message.ts';
import { bold, code, count, line, utc } from './phrases.ts';
import { severityLabel } from './severity.ts';

export interface ReportedFinding {
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
  readonly type: string;
  /** GuardDuty's, 1.0 to 10.0. */
  readonly severity: number;
  readonly updatedAt: string;
  /** What a pivot can start from: an instance id, an access key id; undefined where the finding names neither. */
  readonly about: string | undefined;
}

export interface Reported {
  /** The gravest first; samples and archived ones are not among them. */
  readonly findings: readonly ReportedFinding[];
  /** Accounts and Regions in which no detector is on. */
  readonly off: readonly string[];
  /** Why GuardDuty was not asked at all. */
  readonly notAsked?: string;
  /** What could not be asked, and why. */
  readonly failures: readonly string[];
}

const shown = 8;
/** What is below is low: it stands in the list, not in the verdict. */
const medium = 4;

/** For the verdict; "" where nothing of weight is reported. */
export function reportedRemark({ findings }: Reported): string {
  const [worst] = findings;
  if (worst === undefined || worst.severity < medium) return '';
  const grave = findings.filter(({ severity }) => severity >= medium).length;
  return `GuardDuty reports ${count(grave, 'finding')}, the gravest ${severityLabel(worst.severity)} ${worst.type}`;
}

export function reportedParts({ findings, off, notAsked }: Reported): readonly Part[] {
  if (notAsked !== undefined)
    return [{ kind: 'lines', lines: [line(bold('What GuardDuty reports: '), `not asked, since ${notAsked}`)] }];
  if (findings.length === 0 && off.length === 0) return [];
  const items = findings
    .slice(0, shown)
    .map((one) =>
      line(
        bold(`${severityLabel(one.severity)}: `),
        `${one.type}, ${one.accountId} ${one.region}, ${utc(one.updatedAt)} `,
        ...(one.about === undefined ? [] : [code(one.about)]),
      ),
    );
  if (findings.length > shown) items.push(line(`and ${count(findings.length - shown, 'more finding')}`));
  if (off.length > 0)
    items.push(
      line(
        bold('GuardDuty is off: '),
        `${off.slice(0, 6).join(', ')}${off.length > 6 ? ` and ${off.length - 6} more` : ''}; it says nothing of what happens there`,
      ),
    );
  return [
    { kind: 'lines', lines: [line(bold('What GuardDuty reports'))] },
    { kind: 'list', items },
  ];
}

/** A step of the plan; none where nothing of weight is reported. */
export function reportedPlan(reported: Reported): readonly string[] {
  return reportedRemark(reported) === ''
    ? []
    : ['Go through what GuardDuty reports, the gravest first, with a pivot on each.'];
}

export function reportedNext({ findings }: Reported): readonly string[] {
  const about = findings.filter(({ severity }) => severity >= medium).flatMap((one) => one.about ?? []);
  return [...new Set(about)].slice(0, 3).map((id) => `/ir pivot ${id}`);
}
