/**
 * Takes secrets out of anything that is about to leave: logs, messages, exports (DOMAIN.md 9.7).
 * By key name at any depth, and by pattern inside strings.
 */
const secretKey =
  /^(authorization|cookie|set-cookie|password|passwd|secret|token|api[-_]?key|x-api-key|signing[-_]?secret|secret[-_]?access[-_]?key|session[-_]?token|security[-_]?token|client[-_]?secret|private[-_]?key|response[-_]?url|trigger[-_]?id|upload[-_]?url|connection[-_]?string|database[-_]?url|redis[-_]?url|bot[-_]?token|app[-_]?token)$/i;

const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[private key]'],
  [/\bx(?:ox[a-eprs]|app)-[A-Za-z0-9-]{8,}/g, '[slack token]'],
  // From the beginning of the word to the first that may be one, and no way back: many that are none cost the square of their number.
  [/(?<![\w-])(?=([\w-]*?)\beyJ)\1eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '$1[jwt]'],
  [/\b(?:FwoG|IQoJ|FQoG)[A-Za-z0-9/+=]{40,}/g, '[aws session token]'],
  // A link that signs its reader in, to a notebook for example.
  [/([?&][\w-]{0,40}token=)[^&\s"'\\]+/gi, '$1[removed]'],
  [/(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"']+/gi, '$1[removed]'],
  [
    /((?:secret[_-]?access[_-]?key|aws_secret|secret)["'\s:=]{1,6})[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])/gi,
    '$1[removed]',
  ],
  [/(\/\/[^\s/:@]{1,100}:)[^\s/@]{1,200}@/g, '$1[removed]@'],
  [/(hooks\.slack(?:-gov)?\.com\/)[^\s"']+/g, '$1[removed]'],
];

/** Replaces secrets inside a text. */
export function redactText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
  return clean;
}

/** A copy of any value with its secrets replaced. Errors become {name, message, code, stack}; depth is bounded at 12. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? String(value) : value;
  if (depth >= 12) return '[deeper]';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return redact((value as { toJSON(): unknown }).toJSON(), depth + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      secretKey.test(key) && item !== undefined && item !== null ? '[secret]' : redact(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code: redact(code, depth + 1) }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
