/** JSON for people's eyes: the same value, without a character that a terminal or a viewer would act on. */

/** JSON escapes the controls below the space by itself; not those above, nor what turns the order of text or is not seen. */
const acting = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\udb40[\udc00-\udc7f]/g;

/** What is already JSON, with such characters written as escapes: whoever parses it gets the same. */
export function escapedJson(json: string): string {
  return json.replace(acting, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}

/** In lines, two spaces deep. */
export function jsonText(value: unknown): string {
  return escapedJson(JSON.stringify(value, undefined, 2));
}
