/** Secrets in command lines and environments, as products quote them in findings (DOMAIN.md 2.2, 9.7). */
import { redactText } from './redaction.ts';

const word = String.raw`(?:"[^"]*"|'[^']*'|[^\s"';|&]+)`;
const named = `(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key)`;

const patterns: readonly (readonly [RegExp, string])[] = [
  // --password hunter2, --db-password=hunter2, -token hunter2
  [new RegExp(String.raw`(\s--?(?:[a-z0-9]{1,30}[-_]){0,5}${named}(?:=|\s+))(?!-)${word}`, 'gi'), '$1[removed]'],
  // PGPASSWORD=hunter2, AWS_SECRET_ACCESS_KEY=..., MYSQL_PWD=...
  [
    new RegExp(String.raw`(\b(?!AWS_ACCESS_KEY_ID\b)(?:[A-Z0-9]{1,40}_){0,6}[A-Z0-9]{0,40}${named}=)${word}`, 'gi'),
    '$1[removed]',
  ],
  // mysql -phunter2, sshpass -p hunter2
  [
    new RegExp(String.raw`(\b(?:mysql\w{0,10}|mariadb\w{0,10})\b[^\n;|&]{0,500}?\s-p)(?=\S)${word}`, 'gi'),
    '$1[removed]',
  ],
  [new RegExp(String.raw`(\bsshpass\s+-p\s*)${word}`, 'gi'), '$1[removed]'],
  // curl -u user:hunter2
  [/(\s(?:-u|--user|--proxy-user)[\s=]*["']?[^\s:"']{1,100}:)[^\s"']+/gi, '$1[removed]'],
  [/(\bauthorization["']?\s*:\s*(?:basic|bearer|token|aws4-hmac-sha256)?\s*)[^"'\n]+/gi, '$1[removed]'],
];

/** The text without what its flags, assignments and headers call a secret. Never throws. */
export function redactCommandLine(text: string): string {
  let clean = redactText(text);
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
  return clean;
}

/** `commandLineExample`, `aws/guardduty/service/runtimeDetails/context/commandLineExample`, `proc.cmdline`, Falco's `output`. */
const commandKey = /command|cmd|\bargs$|arguments$|^output$/i;

/** A copy of JSON whose command lines hold no secrets; what stands under no such key stays as it is. */
export function withoutCommandSecrets(value: unknown, quoted = false): unknown {
  if (typeof value === 'string') return quoted ? redactCommandLine(value) : value;
  if (Array.isArray(value)) return value.map((item) => withoutCommandSecrets(item, quoted));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutCommandSecrets(item, quoted || commandKey.test(key))]),
  );
}
