/** Building the page. Text from outside only ever becomes a text node or an attribute value, never markup. */

/**
 * An element. `props`: `class`, `text`, `on: {event: handler}`, `test` (data-testid), everything else an attribute;
 * `undefined`, `null` and `false` leave the attribute out.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'text') node.textContent = value;
    else if (key === 'on') for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else node.setAttribute(key === 'test' ? 'data-testid' : key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Posts JSON to the workspace's own door and gives back its answer. */
export async function post(path, body) {
  try {
    const response = await fetch(`/demo/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch (error) {
    return { outcome: 'failed', error: `The workspace does not answer (${error.message}).` };
  }
}

/** `ts` and epoch seconds as a Date. */
export function timeOf(seconds) {
  return new Date(Number(seconds) * 1000);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayLong = new Intl.DateTimeFormat(undefined, { weekday: 'long', month: 'long', day: 'numeric' });
const dateLong = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  year: 'numeric',
  month: 'long',
  day: 'numeric',
});
const dateMiddle = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'long', day: 'numeric' });
const dateShort = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });

export const clockTime = (date) => clock.format(date);
export const fullTime = (date) => `${dateLong.format(date)}, ${clockSeconds.format(date)} (${zone()})`;

function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function nearDay(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  return { 0: 'today', 1: 'yesterday', [-1]: 'tomorrow' }[days];
}

export function dayName(date) {
  const near = nearDay(date);
  return near ? near[0].toUpperCase() + near.slice(1) : dayLong.format(date);
}

function ago(date) {
  const minutes = Math.round((Date.now() - date.getTime()) / 60_000);
  const [count, unit] =
    Math.abs(minutes) < 60
      ? [minutes, 'minute']
      : Math.abs(minutes) < 1440
        ? [minutes / 60, 'hour']
        : [minutes / 1440, 'day'];
  return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(-Math.round(count), unit);
}

/** Slack's date tokens in the viewer's own zone. */
export function formatDate(format, seconds) {
  const date = timeOf(seconds);
  const two = (number) => String(number).padStart(2, '0');
  const numbers = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const says = {
    date_num: numbers,
    date_slash: numbers.replaceAll('-', '/'),
    date: dateMiddle.format(date),
    date_long: dateLong.format(date),
    date_long_full: dateLong.format(date),
    date_long_pretty: nearDay(date) ?? dateLong.format(date),
    date_short: dateShort.format(date),
    date_short_pretty: nearDay(date) ?? dateShort.format(date),
    date_pretty: nearDay(date) ?? dateMiddle.format(date),
    day_divider_pretty: nearDay(date) ?? dayLong.format(date),
    time: clock.format(date),
    time_secs: clockSeconds.format(date),
    ago: ago(date),
  };
  return format.replace(/\{(\w+)\}/g, (whole, token) => says[token] ?? whole);
}
