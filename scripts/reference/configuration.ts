/** The configuration page of the reference: the environment from the schema in src/config.ts, the keys from the example file. */
import { readFileSync } from 'node:fs';
import { fence, generatedBy, table } from './markdown.ts';

/** What each variable is for. The names must be those of the schema; the page is not made otherwise. */
const meanings: Readonly<Record<string, string>> = {
  SLACK_BOT_TOKEN: 'Bot token (`xoxb-`). Needed by web and worker; not given to the executor, even where it is set.',
  SLACK_SIGNING_SECRET: 'Signing secret, for HTTP. Comma-separated while rotating. Not needed in Socket Mode.',
  SLACK_APP_TOKEN: 'App-level token (`xapp-`, scope `connections:write`). Set: Socket Mode. Not set: HTTP.',
  SLACK_API_URL: 'Another Slack-compatible API, with its `/api/`. Not set: Slack.',
  REDIS_URL: 'Redis for the queue. Not set: the queue is in PostgreSQL.',
  DATABASE_URL: 'External PostgreSQL. Not set: the embedded one, in the data folder.',
  WEBHOOK_TOKEN: 'What senders of webhooks must show. Comma-separated while rotating. Not set: every webhook gets 401.',
  METRICS_TOKEN: 'What `GET /metrics` asks for. Not set: it asks for nothing.',
  FIREBREAK_CONFIG: 'The config file. Not set: `./firebreak.yml`.',
  FIREBREAK_DATA_DIR: 'The data folder (embedded PostgreSQL).',
  FIREBREAK_MODE: '`observe`, `propose` or `execute`; wins over `mode` in the config file.',
  PORT: 'The one HTTP port, of the web role.',
  HOST: 'The address that it listens on. The image sets `0.0.0.0`.',
  LOG_LEVEL: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`. Logs are JSON lines on stderr.',
  AWS_REGION: 'The Region for STS, and where Regions are asked for.',
  AWS_DEFAULT_REGION: 'Used where AWS_REGION is not set; `us-east-1` where neither is.',
  AWS_ENDPOINT_URL: 'Another address for every AWS service, read by the SDK. S3 is then asked in path style.',
  AWS_ENDPOINT_URL_S3: 'The same for S3 alone.',
};

const root = new URL('../../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Names and defaults of the environment, read from the schema's source. */
function environment(): readonly { readonly name: string; readonly standard: string }[] {
  const body = /\nconst Env = z\.object\(\{\n([\s\S]*?)\n\}\);/.exec(read('src/config.ts'))?.[1] ?? '';
  return body.split(/\n(?= {2}[A-Z])/).map((entry) => ({
    name: /[A-Z][A-Z0-9_]+/.exec(entry)?.[0] ?? '',
    standard: /\.default\('?([^')]*)'?\)/.exec(entry)?.[1] ?? '',
  }));
}

/** The example file, cut where a comment at the margin follows a key: comment, then keys. */
function keys(): readonly { readonly names: readonly string[]; readonly comment: string; readonly yaml: string }[] {
  return read('firebreak.example.yml')
    .split(/\n\n+|(?<=\n[^#\n][^\n]*)\n(?=#)/)
    .map((block) => {
      const lines = block.trimEnd().split('\n');
      const first = lines.findIndex((line) => !line.startsWith('#'));
      const yaml = first < 0 ? [] : lines.slice(first);
      return {
        names: yaml.flatMap((line) => /^([A-Za-z]+):/.exec(line)?.[1] ?? []),
        comment: lines
          .slice(0, lines.length - yaml.length)
          .map((line) => line.replace(/^# ?/, ''))
          .join(' '),
        yaml: yaml.join('\n'),
      };
    })
    .filter((block) => block.names.length > 0);
}

/** docs/reference/configuration.md. Throws Error where a variable of the schema is not explained here, or the other way round. */
export function configurationPage(): string {
  const variables = environment();
  const known = Object.keys(meanings).sort().join(' ');
  const found = variables
    .map(({ name }) => name)
    .sort()
    .join(' ');
  if (known !== found)
    throw new Error(`scripts/reference/configuration.ts explains ${known}; src/config.ts has ${found}`);
  const rows = variables.map(({ name, standard }) => [
    `\`${name}\``,
    standard === '' ? '' : `\`${standard}\``,
    meanings[name] ?? '',
  ]);
  return `${generatedBy('src/config.ts and firebreak.example.yml')}
# Configuration

Secrets are environment variables, everything else is in one YAML file. Every problem of both is listed at once, with exit
code 2. An unknown key is a problem.

## Environment

${table(['variable', 'default', 'meaning'], rows)}

Credentials and endpoints of AWS are the SDK's own variables (\`AWS_ACCESS_KEY_ID\`, \`AWS_PROFILE\`, \`AWS_ENDPOINT_URL\`, ...).

## Config file

Start from [firebreak.example.yml](../../firebreak.example.yml). \`serve\` needs \`channels.default\`; all else may be left out.

${keys().map(keyText).join('\n\n')}
`;
}

function keyText({ names, comment, yaml }: ReturnType<typeof keys>[number]): string {
  return `### ${names.map((name) => `\`${name}\``).join(', ')}\n\n${comment === '' ? '' : `${comment}\n\n`}${fence('yaml', yaml)}`;
}
