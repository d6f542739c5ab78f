/** Glob match over the whole text, `*` for any characters, without regard to case: AWS treats names as one whatever their case. */
export function globMatch(pattern: string, name: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === 0 ? (text.startsWith(part) ? 0 : -1) : text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const last = parts.at(-1) ?? '';
  return parts.length === 1 ? text === parts[0] : text.endsWith(last) && at <= text.length;
}
