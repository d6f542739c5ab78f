import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditCommand } from '../../src/audit-commands.ts';
import { SetupError } from '../../src/contracts/errors.ts';
import { testFolder } from '../support/test-folder.ts';

function fileWith(text: string): string {
  const path = join(testFolder(), 'audit.jsonl');
  writeFileSync(path, text);
  return path;
}

describe('audit verify of a file', () => {
  it('does not call whole what holds nothing, as an export leaves that failed', async () => {
    expect(await auditCommand(['verify', fileWith('')])).toBe(1);
    expect(await auditCommand(['verify', fileWith('\n\n')])).toBe(1);
  });

  it.each(['null', '5', '[]', '{}', '"x"', '{"seq":"1"}', '{"seq":1,"at":'])(
    'names the line that is no entry: %s',
    async (text) => {
      const verified = auditCommand(['verify', fileWith(`${text}\n`)]);

      await expect(verified).rejects.toThrow(SetupError);
      await expect(verified).rejects.toThrow(/line 1 is (no entry|not JSON)/);
    },
  );

  it('takes a part of a hash for wrong use, not for a chain that was rewritten', async () => {
    const verified = auditCommand(['verify', fileWith(''), '--holds', 'e06aa8f6b702']);

    await expect(verified).rejects.toThrow(SetupError);
    await expect(verified).rejects.toThrow(/whole hash/);
  });
});
