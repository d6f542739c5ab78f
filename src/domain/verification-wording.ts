/** What a card says of whether its finding was read again from AWS. */
import type { Verification } from '../contracts/intake.ts';
import type { Line } from '../contracts/message.ts';

/** pending: not yet. Undefined: that is not done for this alert. */
export type ShownVerification = Verification | 'pending' | undefined;

export function verificationLine(verification: ShownVerification): Line | undefined {
  if (verification === undefined) return undefined;
  if (verification === 'pending')
    return [{ kind: 'text', text: 'Not verified yet: GuardDuty is being asked for this finding.' }];
  if (verification.state === 'verified') return [{ kind: 'text', text: 'Verified: read again from GuardDuty.' }];
  return [
    { kind: 'text', text: 'Not verified', bold: true },
    { kind: 'text', text: `: ${verification.because ?? verification.state}.` },
  ];
}
