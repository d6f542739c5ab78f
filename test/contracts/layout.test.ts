/** The house rules that a newcomer should not have to remember (DESIGN.md 2; CONTRIBUTING.md, "The rules"). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../fakes/folder.ts';

const mostLines = 300;
const code = /\.(ts|js|css|html)$/;
const adapters = ['webhooks', 'slack', 'queue', 'aws', 'evidence', 'store', 'pictures', 'pager'];

function filesIn(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => code.test(file))
      .map((file) => join(folder, file).split(sep).join('/')),
  );
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

const product = filesIn('src', 'commands', 'workflows');
const written = [...product, ...filesIn('demo', 'detections', 'scripts')];

/** Specifiers that a file imports, also by `import()`, `export from` and for their types. */
function importsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm)].map((found) => found[1] ?? '');
}

/** The file of ours that a specifier means, from the root; undefined for packages. */
function meantBy(specifier: string, file: string): string | undefined {
  const named: Readonly<Record<string, string>> = {
    '#commands': 'commands/index.ts',
    '#investigations': 'workflows/investigation/index.ts',
    '#actions': 'workflows/containment/index.ts',
  };
  if (specifier.startsWith('#')) return named[specifier] ?? specifier.replace(/^#src\//, 'src/');
  if (!specifier.startsWith('.')) return undefined;
  return relative(root, join(root, dirname(file), specifier))
    .split(sep)
    .join('/');
}

/** `src/store`, `src/contracts`, `commands`, ...; `src/*.ts` files are their own part, `src`. */
function partOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'src' && !second.endsWith('.ts') ? `src/${second}` : first;
}

const inner = ['src/contracts', 'src/domain'];
/** Which parts a part may import beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/contracts': [],
  'src/domain': ['src/contracts'],
  'src/flows': inner,
  ...Object.fromEntries(adapters.map((name) => [`src/${name}`, inner])),
  commands: inner,
  // The technique table is data that investigations read.
  workflows: [...inner, 'detections'],
  detections: inner,
  src: ['commands', 'workflows', 'detections', 'src/flows', ...inner, ...adapters.map((name) => `src/${name}`)],
};

/** Packages that a part may not use: domain and units are pure, flows get ports. */
const noPackages: Readonly<Record<string, RegExp>> = {
  'src/contracts': /^(@slack\/|bullmq|pg$|kysely|fastify|node:(fs|http|net|child_process))/,
  'src/domain': /^(@aws-sdk\/|@slack\/|bullmq|pg$|kysely|fastify|pino|node:(fs|http|https|net|dns|child_process))/,
  'src/flows': /^(@aws-sdk\/|@slack\/|bullmq|pg$|kysely|fastify|pino|node:(fs|http|https|net|dns|child_process))/,
  commands: /^(@aws-sdk\/|@slack\/|bullmq|pg$|kysely|fastify|pino|node:(fs|http|https|net|dns|child_process))/,
  workflows: /^(@slack\/|bullmq|pg$|kysely|fastify|pino|node:(fs|http|https|net|dns|child_process))/,
};

describe('every file', () => {
  it(`has at most ${mostLines} lines`, () => {
    const long = written.filter((file) => read(file).trimEnd().split('\n').length > mostLines);

    expect(long).toEqual([]);
  });

  it('has a name in kebab-case', () => {
    expect(written.filter((file) => !/(^|\/)[a-z0-9]+([-.][a-z0-9]+)*$/.test(file))).toEqual([]);
  });

  it('lies in a folder that says what it is about', () => {
    const vague = /(^|\/)(utils?|helpers?|common|types|lib|misc|shared)\//;

    expect([...written, ...filesIn('test')].filter((file) => vague.test(file))).toEqual([]);
  });

  it('says nothing that is to be done later', () => {
    const later = /\b(TODO|FIXME|XXX|HACK)\b|not implemented/;

    expect(written.filter((file) => later.test(read(file)))).toEqual([]);
  });

  it('swallows no error', () => {
    const empty = /catch\s*(\([^)]*\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*\{\s*\}\)/;

    expect(product.filter((file) => empty.test(read(file)))).toEqual([]);
  });
});

describe('the product', () => {
  it('reads the environment in src/config.ts alone', () => {
    expect(product.filter((file) => /\bprocess\.env\b/.test(read(file)))).toEqual(['src/config.ts']);
  });

  it('does not know that it is shown', () => {
    expect(product.filter((file) => /demo/i.test(read(file)))).toEqual([]);
  });

  it('imports inwards only', () => {
    const wrong = product.flatMap((file) => {
      const part = partOf(file);
      const allowed = [part, ...(mayImport[part] ?? [])];
      return importsOf(read(file))
        .map((specifier) => ({ specifier, meant: meantBy(specifier, file) }))
        .filter(({ meant }) => meant !== undefined && !allowed.includes(partOf(meant)))
        .map(({ specifier }) => `${file}: ${specifier}`);
    });

    expect(wrong).toEqual([]);
  });

  it('keeps the world out of its pure parts', () => {
    const wrong = product.flatMap((file) =>
      importsOf(read(file))
        .filter((specifier) => noPackages[partOf(file)]?.test(specifier) ?? false)
        .map((specifier) => `${file}: ${specifier}`),
    );

    expect(wrong).toEqual([]);
  });

  it('imports files that are there', () => {
    const missing = product.flatMap((file) =>
      importsOf(read(file))
        .map((specifier) => meantBy(specifier, file))
        .filter((meant) => meant !== undefined && !existsSync(join(root, meant)))
        .map((meant) => `${file}: ${meant}`),
    );

    expect(missing).toEqual([]);
  });

  it('writes to AWS at one call site', () => {
    expect(product.filter((file) => /responder\.write\(/.test(read(file)))).toEqual(['src/flows/send-calls.ts']);
  });

  it('makes commands out of names in one file, from its own list, and no writing command of the SDK anywhere', () => {
    const command =
      /\b(Create|Delete|Update|Put|Attach|Detach|Terminate|Stop|Run|Modify|Revoke|Authorize|Add|Remove|Deactivate|Tag)[A-Z]\w*Command\b/;

    // What was taken from the queue of the alerts is deleted there, and a query of our own in Athena is stopped: neither changes
    // anybody's resources. The heads of our audit go into a bucket of our own, with the worker's identity.
    const own = (file: string) => {
      const text = read(file).replaceAll(/\bStopQueryExecutionCommand\b/g, '');
      if (file === 'src/aws/audit-anchors.ts') return text.replaceAll(/\bPutObjectCommand\b/g, '');
      return file === 'src/aws/queues.ts' ? text.replaceAll('DeleteMessageBatchCommand', '') : text;
    };
    expect(product.filter((file) => command.test(own(file)))).toEqual([]);
    expect(product.filter((file) => /\}Command`\]/.test(read(file)))).toEqual(['src/aws/writes.ts']);
  });
});

const adapterPlants = adapters.map((name, at): Plant => {
  const other = adapters[(at + 1) % adapters.length] ?? '';
  return [`src/${name}`, `../${other}/planted.ts`];
});

/** Folder, and what a file in it must not import. */
type Plant = readonly [folder: string, specifier: string];
const wrongImports: readonly Plant[] = [
  ['src/contracts', '../domain/arn.ts'],
  ['src/domain', '../flows/contain.ts'],
  ['src/domain', '@aws-sdk/client-iam'],
  ['src/domain', 'node:fs/promises'],
  ['src/flows', '../slack/app.ts'],
  ['src/flows', '@aws-sdk/client-iam'],
  ['src/flows', '#actions'],
  ['src/flows', '../wire.ts'],
  ['commands', '#src/store/store.ts'],
  ['commands', '../src/store/store.ts'],
  ['workflows/containment', '#src/flows/contain.ts'],
  ['workflows/investigation', 'node:child_process'],
  ['src/store', '../config.ts'],
  ...adapterPlants,
];
const wrongCode = [
  ['any', 'export function f(value: any) {\n  return value;\n}\n', 'noExplicitAny'],
  ['a default export', 'export default 1;\n', 'noDefaultExport'],
  ['the environment', 'export const home = process.env.HOME;\n', 'noProcessEnv'],
  ['the console', "console.log('x');\n", 'noConsole'],
] as const;

const Said = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
});

/** What biome says of planted files, in a folder of their own with our rules: `path rule`. */
function lintPlanted(files: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-lint-'));
  try {
    const rules = JSON.parse(read('biome.json')) as Record<string, unknown>;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const biome = join(root, 'node_modules', '.bin', 'biome');
    const { stdout } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return Said.parse(JSON.parse(stdout)).diagnostics.map(
      ({ category, location }) => `${location.path} ${category.split('/').at(-1)}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('biome', () => {
  let said: readonly string[] = [];
  beforeAll(() => {
    const importing = (specifier: string) =>
      `import { planted } from '${specifier}';\n\nexport const kept = planted;\n`;
    said = lintPlanted({
      ...Object.fromEntries(wrongImports.map(([folder, from], at) => [`${folder}/import-${at}.ts`, importing(from)])),
      ...Object.fromEntries(wrongCode.map(([, text], at) => [`src/domain/code-${at}.ts`, text])),
      'src/store/good.ts': importing('../domain/principal.ts'),
    });
  });

  it.each(wrongImports.map(([folder, from], at) => [folder, from, at] as const))(
    'refuses a file of %s that imports %s',
    (folder, _from, at) => {
      expect(said).toContain(`${folder}/import-${at}.ts noRestrictedImports`);
    },
  );

  it.each(wrongCode.map(([what, , rule], at) => [what, rule, at] as const))('refuses %s (%s)', (_what, rule, at) => {
    expect(said).toContain(`src/domain/code-${at}.ts ${rule}`);
  });

  it('lets a good import pass', () => {
    expect(said.filter((line) => line.startsWith('src/store/good.ts') && line.includes('noRestrictedImports'))).toEqual(
      [],
    );
  });
});
