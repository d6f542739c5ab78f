/** The window of an investigation: what was typed, else the config's. */
import type { InvestigationRequest } from '../contracts/command.ts';
import type { Window } from '../contracts/evidence.ts';
import { parseDuration, parseWindow } from '../domain/window.ts';

/** Both ends are set: up to now, and back by `fallback` (`7d`) from the end. Throws UserError for a window that cannot be. */
export function windowOf(
  request: InvestigationRequest,
  fallback: string,
  now: Date,
): Window & { readonly from: string } {
  const typed = parseWindow({ since: request.since, until: request.until }, now);
  const to = typed.to ?? now.toISOString();
  return { from: typed.from ?? new Date(Date.parse(to) - parseDuration(fallback)).toISOString(), to };
}
