/** Times as the many sources write them. */

/**
 * `2025-02-25T20:40:06.123Z`, `2025-02-25 20:40:06.000000000` (attack sequences; UTC), `2026-11-20T21:00:00.000+0000`
 * (alarms), `Thu, 1 Nov 2018 22:00:00 GMT` (Health), a bare day, epoch seconds or milliseconds, as ISO 8601 UTC; undefined
 * for anything else.
 */
export function instantOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const epoch = /^\d{9,13}(?:\.\d+)?$/.test(text) ? Number(text) * (Number(text) < 1e11 ? 1000 : 1) : undefined;
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(text);
  const inWords = /^(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/.test(text);
  const dayOnly = /^\d{4}-\d\d-\d\d$/.test(text);
  if (epoch === undefined && parts === null && !inWords && !dayOnly) return undefined;
  const [, day, time, fraction = '', zone = 'Z'] = parts ?? [];
  const written = inWords || dayOnly ? text : `${day}T${time}${fraction.slice(0, 4)}${/utc/i.test(zone) ? 'Z' : zone}`;
  const at = new Date(epoch ?? written);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
