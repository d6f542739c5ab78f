/** GuardDuty's severity scale (DOMAIN.md 2.3): 1.0 to 10.0; 0 and more than 10 are not used by AWS. */

const severityWords = ['critical', 'high', 'medium', 'low'] as const;
export type SeverityWord = (typeof severityWords)[number];

/** What `Alert.severity` holds where the finding gave none that can be read. */
export const noSeverity = 0;

/** The word for a severity. One that is missing (0 or less, not a number) counts as high, so that nobody overlooks it. */
export function severityWord(severity: number): SeverityWord {
  if (!(severity > noSeverity)) return 'high';
  if (severity < 4) return 'low';
  if (severity < 7) return 'medium';
  if (severity < 9) return 'high';
  return 'critical';
}

/** `High 8.0`; `High (no severity given)` where there is none. */
export function severityLabel(severity: number): string {
  const word = severityWord(severity);
  const capital = word.charAt(0).toUpperCase() + word.slice(1);
  return severity > noSeverity ? `${capital} ${severity.toFixed(1)}` : `${capital} (no severity given)`;
}

/** How much the word weighs: 0 low to 3 critical. */
export function severityRank(severity: number): number {
  return severityWords.length - 1 - severityWords.indexOf(severityWord(severity));
}
