/** What wakes people when Slack does not. */

export interface Page {
  /** The same for repeats of one page: receivers that know such keys show it once. */
  readonly key: string;
  readonly summary: string;
  readonly severity: 'critical' | 'error' | 'warning' | 'info';
  /** Where it comes from: the account. */
  readonly source: string;
  readonly details: Readonly<Record<string, string>>;
}

export interface Pager {
  /** Pages by the name of the config. Throws UpstreamError `pager` where nobody took it, UserError for an unknown name. */
  page(name: string, page: Page): Promise<void>;
}
