/** A folder that lives as long as the test that asks for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** To be called while a test runs. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
