/** The command line of Firebreak with a config that names the Athena of the demo's AWS, or none. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { DemoAws } from '../../demo/aws/server.ts';
import { configFor } from '../../demo/setting.ts';

export const launcher = fileURLToPath(new URL('../../bin/firebreak.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type AthenaKeys = Readonly<Record<string, unknown>>;

/** The environment of a command. @param athena laid over the config's own; undefined: the config names none */
export function athenaSetting(aws: DemoAws, folder: string, athena: AthenaKeys | undefined, data: string) {
  const base = configFor(aws);
  const config = { ...base, athena: athena && { ...(base.athena as object), ...athena } };
  const file = join(folder, `config-${Math.random().toString(36).slice(2)}.yml`);
  writeFileSync(file, stringify(config));
  const { PATH = '', HOME = folder } = process.env;
  return {
    PATH,
    HOME,
    FIREBREAK_CONFIG: file,
    FIREBREAK_DATA_DIR: join(folder, data),
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: aws.credentials.hub.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.hub.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Runs a command to its end; a failure is in what it returns. */
export function runWith(env: Readonly<Record<string, string>>, cwd: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [launcher, ...words],
      { cwd, env: { ...env }, maxBuffer: 64e6 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}
