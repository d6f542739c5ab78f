/** Where this adapter may send anything: Slack's hosts, and the exact origin that the operator gave as SLACK_API_URL (DOMAIN.md 9.5). */

export const slackApiUrl = 'https://slack.com/api/';

function isSlackHost(host: string): boolean {
  return host === 'slack.com' || host.endsWith('.slack.com');
}

/**
 * Whether an address that Slack handed us (upload URL, WebSocket URL) may be used. Slack's own hosts over https or wss on
 * the default port, or the operator's own origin, there also without TLS. `apiUrl` undefined means Slack's own.
 */
export function isAllowedUrl(address: string, apiUrl: string | undefined): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return false;
  if (apiUrl !== undefined && URL.canParse(apiUrl) && originOf(url) === originOf(new URL(apiUrl))) return true;
  return ['https:', 'wss:'].includes(url.protocol) && url.port === '' && isSlackHost(url.hostname);
}

/** Scheme, host and port, with WebSocket schemes read as the HTTP ones that they upgrade from. Undefined for others. */
function originOf(url: URL): string | undefined {
  const scheme = { 'http:': 'http', 'ws:': 'http', 'https:': 'https', 'wss:': 'https' }[url.protocol];
  return scheme === undefined ? undefined : `${scheme}://${url.host}`;
}
