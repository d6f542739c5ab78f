/** Athena's cost in words. */
import { bytesText } from '../conversations.ts';
import { type AthenaSettings, dollarsOf } from './settings.ts';

/** `$0.0013`. */
export function dollarsText(dollars: number): string {
  return `$${dollars < 0.01 ? dollars.toFixed(5) : dollars.toFixed(2)}`;
}

/** `Athena read 1.2 GiB, $0.0060`. */
export function costText(bytes: number, settings: Pick<AthenaSettings, 'dollarsPerTerabyte'>): string {
  return `Athena read ${bytesText(bytes)}, ${dollarsText(dollarsOf(bytes, settings))}`;
}
