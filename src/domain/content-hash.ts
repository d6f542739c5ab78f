/** Hashes of contents, with a library that is loaded by the first of them: most processes that read records need none. */

/** SHA-256 of a text in UTF-8. */
export function contentHash(text: string, encoding: 'hex' | 'base64'): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', text, encoding);
}
