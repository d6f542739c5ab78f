/** Start-up scripts of instances: decoded, and read for known signs (MISSION.md 4.1, S3's indicators; DOMAIN.md 6, 7). */
import { gunzipSync } from 'node:zlib';

export type SignKind = 'miner' | 'persistence' | 'dropper' | 'exfiltration' | 'encoded' | 'credentials' | 'evasion';

export interface Sign {
  readonly kind: SignKind;
  readonly says: string;
  /** The line of the script (from 1) and what of it matched, at most 120 characters; secrets are taken out. */
  readonly line: number;
  readonly matched: string;
}

export interface UserData {
  /** Characters of the decoded text. */
  readonly length: number;
  /** Decoded layers beside the first: `gzip`, `base64 in line 7`. */
  readonly layers: readonly string[];
  readonly signs: readonly Sign[];
  /** True where the text is longer than what is read. */
  readonly cut: boolean;
  /** sha256 is the caller's business: the text by which siblings are compared. */
  readonly text: string;
}

/** User data is at most 16 KB; unpacked it may be more, and a bomb is cut here. */
const mostRead = 512 * 1024;

interface Rule {
  readonly kind: SignKind;
  readonly says: string;
  readonly pattern: RegExp;
}

const rules: readonly Rule[] = [
  {
    kind: 'miner',
    says: 'a name of a mining pool or miner that AWS has seen in attacks',
    pattern:
      /\b(?:donate\.v2\.xmrig\.\w+|systemten\.org|(?:xmr\.)?pool\.minergate\.\w+|minergate|dockerupdate\.anondns\.net|rspca-northamptonshire\.org\.uk|xmrpool\.eu|cryptofollow\.com|xmr-(?:usa|eu|eu1)\.(?:dwarfpool|nanopool)\.\w+|[\w.-]+\.nanopool\.org|supportxmr\.com|moneroocean\.stream|2miners\.com|hashvault\.pro|f2pool\.com|ethermine\.org|nicehash\.com|c3pool\.\w+|unmineable\.com)\b/i,
  },
  {
    kind: 'miner',
    says: 'a mining program',
    pattern:
      /\b(?:xmrig|xmr-stak|minerd|cpuminer|ccminer|ethminer|phoenixminer|t-rex|nbminer|lolminer|teamredminer|kinsing|kdevtmpfsi|cryptokit|cryptonight|randomx)\b/i,
  },
  { kind: 'miner', says: 'the protocol of mining pools', pattern: /\bstratum(?:\+tcp|\+ssl|2\+tcp)?:\/\/\S{1,80}/i },
  { kind: 'miner', says: 'a Monero wallet', pattern: /\b[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b/ },
  {
    kind: 'persistence',
    says: 'a cron job',
    pattern: /(?:\/var\/spool\/cron|\/etc\/cron[.\w]*|\bcrontab\s+-|\*\/\d{1,2}\s+\*\s+\*\s+\*\s+\*\s)\S{0,60}/,
  },
  {
    kind: 'persistence',
    says: 'the script runs again at every start',
    pattern: /\[\s*scripts-user\s*,\s*always\s*\]|<persist>\s*true/i,
  },
  {
    kind: 'persistence',
    says: 'a service of its own',
    pattern:
      /\/etc\/(?:systemd\/system|init\.d)\/\S{1,60}|\bsystemctl\s+(?:--now\s+)?enable\b|\/etc\/rc\.local|\/etc\/ld\.so\.preload/,
  },
  { kind: 'persistence', says: 'an SSH key for somebody', pattern: /authorized_keys/ },
  {
    kind: 'persistence',
    says: 'a new user, or one with all rights',
    pattern: /\b(?:useradd|adduser)\b|NOPASSWD\s*:\s*ALL|\/etc\/sudoers/i,
  },
  {
    kind: 'dropper',
    says: 'something fetched and run at once',
    pattern:
      /\b(?:curl|wget|fetch)\b[^\n|;]{1,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\b(?:ba|z)?sh\s+<\(\s*(?:curl|wget)|\bIEX\s*\(|DownloadString\s*\(|Invoke-WebRequest\b[^\n]{0,120}\bStart-Process/i,
  },
  {
    kind: 'dropper',
    says: 'a program fetched and made runnable',
    pattern: /\b(?:curl|wget)\b[\s\S]{1,400}?\bchmod\s+(?:\+x|[0-7]*7[0-7]{2})\b/i,
  },
  {
    kind: 'dropper',
    says: 'a shell that calls out',
    pattern: /\/dev\/(?:tcp|udp)\/\S{1,60}|\bnc(?:at)?\s+[^\n]{0,40}-e\b|\bmkfifo\b[^\n]{0,80}\bnc\b/,
  },
  {
    kind: 'exfiltration',
    says: 'names with encoded labels: data sent out by DNS',
    pattern:
      /\b(?:[\w-]+\.)?afsdem\.com\b|\b(?:(?=[^.\s]{0,63}[A-Z])(?=[^.\s]{0,63}\d)[A-Za-z0-9+/_-]{24,63}={0,2}\.){1,6}[a-z0-9-]{2,40}\.[a-z]{2,12}\b/,
  },
  {
    kind: 'exfiltration',
    says: 'a DNS look-up of a computed name',
    pattern: /\b(?:dig|nslookup|host)\b[^\n]{0,80}(?:\$\(|`|\$\{?\w)/,
  },
  {
    kind: 'encoded',
    says: 'code that hides itself',
    pattern:
      /\bbase64\s+(?:-d|--decode|-D)\b|\bFromBase64String\s*\(|-enc(?:odedcommand)?\s+[A-Za-z0-9+/=]{20,}|\beval\s*\(?\s*["'$`]|\bxxd\s+-r\b/i,
  },
  {
    kind: 'credentials',
    says: "the instance's own credentials are read",
    pattern: /169\.254\.169\.254\S{0,80}(?:iam|credentials|token)|\baws\s+configure\s+set\b|\.aws\/credentials/,
  },
  {
    kind: 'evasion',
    says: 'protection or logging is turned off',
    pattern:
      /\b(?:setenforce\s+0|ufw\s+disable|iptables\s+-F|systemctl\s+(?:stop|disable)\s+\S*(?:auditd|guard|falco|ssm|cloudwatch)\S*|history\s+-c|unset\s+HISTFILE|HISTFILE=\/dev\/null|Set-MpPreference|pkill\s+-9?\s*-?f?\s*\S*(?:agent|guard)\S*)/i,
  },
];

/** Decodes and reads user data as DescribeInstanceAttribute gives it (base64). Never throws. */
export function readUserData(base64: string): UserData {
  const first = unpack(Buffer.from(base64, 'base64'));
  const layers = [...first.layers];
  for (const { text, line } of encodedParts(first.text)) {
    const decoded = unpack(Buffer.from(text, 'base64'));
    if (!isReadable(decoded.text)) continue;
    layers.push(`base64 in line ${line}`);
    layers.push(...decoded.layers);
  }
  const signs = [...signsOf(first.text), ...innerSigns(first.text)];
  return { length: first.text.length, layers, signs: distinct(signs), cut: first.cut, text: first.text };
}

function innerSigns(text: string): readonly Sign[] {
  return encodedParts(text).flatMap((part) => {
    const decoded = unpack(Buffer.from(part.text, 'base64'));
    if (!isReadable(decoded.text)) return [];
    return signsOf(decoded.text).map((sign) => ({ ...sign, line: part.line, says: `${sign.says} (inside base64)` }));
  });
}

function unpack(bytes: Buffer): { readonly text: string; readonly layers: readonly string[]; readonly cut: boolean } {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      const opened = gunzipSync(bytes, { maxOutputLength: mostRead });
      return { text: opened.toString('utf8'), layers: ['gzip'], cut: false };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { text: '', layers: ['gzip that cannot be opened'], cut: true };
    }
  }
  return { text: bytes.subarray(0, mostRead).toString('utf8'), layers: [], cut: bytes.length > mostRead };
}

/** Long runs of base64 in the script; at most 20. */
function encodedParts(text: string): readonly { readonly text: string; readonly line: number }[] {
  // MIME parts and openssl break base64 into lines: those are one run.
  return joined(text)
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/[A-Za-z0-9+/]{40,}={0,2}/g)].map((found) => ({ text: found[0], line: index + 1 })),
    )
    .slice(0, 20);
}

/** Lines of nothing but base64 put together, with as many empty lines in their place, so that line numbers hold. */
function joined(text: string): string {
  return text.replaceAll(/^(?:[A-Za-z0-9+/]{20,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}\r?$/gm, (run) => {
    const lines = run.split(/\r?\n/);
    return lines.join('') + '\n'.repeat(lines.length - 1);
  });
}

function isReadable(text: string): boolean {
  if (text.length < 8) return false;
  const odd = [...text.slice(0, 400)].filter(
    (letter) => letter === '\ufffd' || (letter < ' ' && !/\s/.test(letter)),
  ).length;
  return odd <= Math.min(text.length, 400) / 50;
}

function signsOf(text: string): readonly Sign[] {
  const lines = text.split('\n');
  return rules.flatMap((rule) => {
    const byLine = lines.flatMap((line, index) => {
      const found = rule.pattern.exec(line.slice(0, 4_000));
      return found ? [{ kind: rule.kind, says: rule.says, line: index + 1, matched: shown(found[0]) }] : [];
    });
    if (byLine.length > 0) return byLine.slice(0, 3);
    const whole = rule.pattern.exec(text.slice(0, 64_000));
    if (whole === null) return [];
    return [
      {
        kind: rule.kind,
        says: rule.says,
        line: text.slice(0, whole.index).split('\n').length,
        matched: shown(whole[0]),
      },
    ];
  });
}

/** What a card may show of a script: never a key, a password or a token (DOMAIN.md 9.7). */
function shown(matched: string): string {
  return matched
    .replaceAll(/\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g, (id) => `${id.slice(0, 4)}…${id.slice(-4)}`)
    .replaceAll(/(password|passwd|secret|token|key)(\s*[=:]\s*)\S+/gi, '$1$2[secret]')
    .replaceAll(/[A-Za-z0-9+/]{40,}={0,2}/g, (blob) => `[${blob.length} characters]`)
    .slice(0, 120);
}

function distinct(signs: readonly Sign[]): readonly Sign[] {
  const seen = new Set<string>();
  return signs.filter((sign) => {
    const key = `${sign.kind} ${sign.line} ${sign.matched}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}
