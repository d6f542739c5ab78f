/** The documents say what the code does: generated pages are fresh, links lead somewhere, commands exist, worked examples compile. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../commands/index.ts';
import { referencePages } from '../../scripts/docs.ts';
import { interpret } from '../../src/domain/words.ts';
import { actions } from '../../workflows/containment/index.ts';
import { root } from '../fakes/folder.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

interface Fence {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

function fencesOf(page: string): readonly Fence[] {
  return [...read(page).matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map((found) => ({
    page,
    language: found[1] ?? '',
    text: found[2] ?? '',
  }));
}

const fences = pages.flatMap(fencesOf);
const shellLines = fences
  .filter((fence) => fence.language === 'sh')
  .flatMap((fence) => fence.text.split('\n').map((line) => [fence.page, line.trim()] as const));

describe('the generated pages', () => {
  const fresh = referencePages();

  it.each(Object.keys(fresh))('%s is fresh (npm run docs)', (path) => {
    expect(read(path)).toBe(fresh[path]);
  });

  it('are all of docs/reference', () => {
    const there = readdirSync(join(root, 'docs', 'reference')).map((file) => `docs/reference/${file}`);

    expect(there.sort()).toEqual(
      Object.keys(fresh)
        .filter((path) => path.startsWith('docs/reference/'))
        .sort(),
    );
  });

  it('name every permission of every action', () => {
    const text = read('docs/reference/permissions.md');

    for (const { permissions } of actions) {
      for (const name of [...permissions.read, ...permissions.write]) expect(text).toContain(`"${name}"`);
    }
  });
});

describe.each(pages)('%s', (page) => {
  it('links to files that are there', () => {
    const prose = read(page).replace(/^```[\s\S]*?^```$/gm, '');
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((found) => found[1] ?? '');
    const missing = links
      .filter((link) => !/^(https?:|#)/.test(link))
      .filter((link) => !existsSync(join(root, dirname(page), link.replace(/#.*$/, ''))));

    expect(missing).toEqual([]);
  });

  it('closes every fence and names its language', () => {
    expect((read(page).match(/^```/gm) ?? []).length % 2).toBe(0);
    expect(fencesOf(page).filter((fence) => fence.language === '')).toEqual([]);
  });

  it('holds JSON that is JSON', () => {
    for (const fence of fencesOf(page).filter(({ language }) => language === 'json')) {
      expect(() => JSON.parse(fence.text)).not.toThrow();
    }
  });
});

describe('the commands in the documents', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  it('are scripts of package.json where they begin with npm', () => {
    const wanted = pages.flatMap((page) =>
      [...read(page).matchAll(/npm (?:run ([a-z]+)|(test)\b)/g)].map((found) => found[1] ?? found[2] ?? ''),
    );

    expect(wanted).toContain('demo');
    for (const name of new Set(wanted)) expect(scripts).toHaveProperty(name);
  });

  it('are subcommands of firebreak where they begin with it', () => {
    const words = shellLines
      .filter(([, line]) => /^(bin\/)?firebreak(\.js)? /.test(line))
      .map(([, line]) => line.split(/\s+/));

    expect(words.length).toBeGreaterThan(5);
    for (const [, subcommand] of words)
      expect([
        'serve',
        'ir',
        'import',
        'audit',
        'rules',
        'deadletters',
        'enroll',
        'migrate',
        'grants',
        'doctor',
      ]).toContain(subcommand);
  });

  it('parse where they begin with firebreak ir', () => {
    const typed = shellLines.filter(([, line]) => line.startsWith('firebreak ir '));

    expect(typed.length).toBeGreaterThan(3);
    for (const [, line] of typed) {
      const [, , ...words] = line.split(/\s+/);
      expect(() => interpret(words, commands, { json: { type: 'boolean' }, logs: { type: 'string' } })).not.toThrow();
    }
  });
});

/** Worked examples: fences whose first line names their file. */
const worked = fences
  .filter((fence) => fence.language === 'ts')
  .map((fence) => ({ ...fence, file: /^\/\/ (\S+\.ts)\n/.exec(fence.text)?.[1] ?? '' }));

describe('the worked examples', () => {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-docs-'));
  beforeAll(() => {
    for (const name of ['node_modules', 'src', 'detections']) symlinkSync(join(root, name), join(folder, name));
    writeFileSync(join(folder, 'package.json'), read('package.json'));
    // The copy is no checkout, so there is no ignore file to ask.
    const { vcs: _vcs, ...rules } = JSON.parse(read('biome.json')) as Record<string, unknown>;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules));
    const { compilerOptions } = JSON.parse(read('tsconfig.json')) as { compilerOptions: object };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['commands', 'workflows'] }),
    );
    for (const { file, text } of worked) {
      mkdirSync(join(folder, dirname(file)), { recursive: true });
      writeFileSync(join(folder, file), text.slice(text.indexOf('\n') + 1));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function tool(name: string, ...words: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(join(root, 'node_modules', '.bin', name), words, {
      cwd: folder,
      encoding: 'utf8',
    });
    return status === 0 ? '' : `${stdout}${stderr}`;
  }

  it('are there for each kind of unit, under names that are free', () => {
    for (const kind of ['commands/', 'workflows/investigation/', 'workflows/containment/']) {
      expect(worked.filter(({ file }) => file.startsWith(kind)).length).toBeGreaterThan(0);
    }
    for (const { file } of worked) expect(existsSync(join(root, file))).toBe(false);
  });

  it('pass the type checker', () => {
    expect(tool('tsc', '-p', '.')).toBe('');
  });

  it('pass the import rules and the linter', () => {
    expect(tool('biome', 'lint', '--error-on-warnings', 'commands', 'workflows')).toBe('');
  });

  it.each(worked.map(({ file }) => [file]))('%s loads, under the name of its file', (file) => {
    const script = `const [unit] = Object.values(await import(process.argv[1])); process.stdout.write(unit.name + ' ' + unit.examples)`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, join(folder, file)], {
      cwd: folder,
      encoding: 'utf8',
    });

    expect(`${stdout}${stderr}`.split(' ')[0]).toBe(file.split('/').at(-1)?.replace('.ts', ''));
  });
});
