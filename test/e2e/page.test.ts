/**
 * `npm run demo` as a newcomer meets it: the page in headless Chromium, the five steps by hand. A screenshot of each step goes
 * to docs/images when FIREBREAK_SCREENSHOTS is set, so that the README shows what the code does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoIds } from '../../demo/slack/workspace.ts';

const chromiumPath = '/usr/bin/chromium';
const missing = existsSync(chromiumPath) ? '' : ' (skipped: /usr/bin/chromium is not installed)';
const keep = process.env.FIREBREAK_SCREENSHOTS !== undefined;
const key = 'AKIAIOSFODNN7EXAMPLE';
const patience = { timeout: 60_000 };

describe.skipIf(missing !== '')(`the demo in a browser${missing}`, () => {
  let demo: ChildProcess;
  let browser: Browser;
  let page: Page;
  let url = '';
  const folder = keep ? join(process.cwd(), 'docs', 'images') : mkdtempSync(join(tmpdir(), 'firebreak-shots-'));
  const consoleErrors: string[] = [];

  beforeAll(async () => {
    demo = spawn(process.execPath, ['demo/main.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DEMO_PORT: '0' },
    });
    url = await new Promise<string>((resolve, reject) => {
      let printed = '';
      demo.stdout?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
        if (found !== null) resolve(found[0]);
      });
      demo.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${printed}`)));
    });
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => {
      if (message.type() === 'error') consoleErrors.push(message.text());
    });
    await page.goto(url);
  });

  afterAll(async () => {
    await browser?.close();
    if (demo?.exitCode === null) {
      demo.kill('SIGTERM');
      await once(demo, 'exit');
    }
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const shot = (name: string) => page.screenshot({ path: join(folder, name) });
  const inMessages = (testId: string) => page.locator(`[data-testid=messages] [data-testid=${testId}]`);
  async function become(userId: string, name: string): Promise<void> {
    await page.getByTestId(`person-${userId}`).click();
    await page.getByTestId('you-are').getByText(name).waitFor(patience);
  }

  it('shows the finding as a card with buttons', async () => {
    await inMessages('button-contain').last().waitFor(patience);

    const card = await page.locator('[data-testid=messages]').innerText();
    for (const word of ['Medium 5.0', 'workshop-prod', 'pipeline', key, '203.0.113.99']) expect(card).toContain(word);
    await inMessages('button-contain').last().scrollIntoViewIfNeeded();
    await shot('01-card.png');
  });

  it('answers a typed pivot with a headline, a thread and two pictures', async () => {
    await page.getByTestId('composer-input').fill(`/ir pivot ${key}`);
    await page.getByTestId('composer-send').click();
    await page.getByText('is running').or(page.getByText('Running:')).first().waitFor(patience);
    await shot('02-progress.png');
    await inMessages('button-widen').waitFor(patience);
    await page.locator('[data-testid=messages] [data-testid^=thread-open-]').last().click();

    const pictures = page.locator('[data-testid=thread-messages] img.picture');
    await expect.poll(() => pictures.count(), patience).toBe(2);
    for (const picture of await pictures.all()) {
      expect((await picture.getAttribute('alt'))?.length).toBeGreaterThan(40);
      const source = await picture.evaluate((image) => (image as unknown as { src: string }).src);
      const bytes = Buffer.from(await (await fetch(source)).arrayBuffer());
      expect(bytes.subarray(1, 4).toString()).toBe('PNG');
      const name = (await picture.getAttribute('alt'))?.toLowerCase().includes('timeline')
        ? 'timeline.png'
        : 'graph.png';
      writeFileSync(join(folder, name), bytes);
    }
    expect(await page.getByTestId('thread-messages').innerText()).toContain('What was looked at');
    await page.getByTestId('thread-messages').evaluate((pane) => {
      (pane as unknown as { scrollTop: number }).scrollTop = 0;
    });
    await shot('03-story.png');
    await page.getByTestId('thread-close').click();
  });

  it('asks for approval with the exact calls, and refuses the one who asked and a guest', async () => {
    await inMessages('button-contain').last().click();
    await inMessages('button-approve').waitFor(patience);
    await inMessages('button-approve').scrollIntoViewIfNeeded();
    await shot('04-approval.png');
    expect(await page.locator('[data-testid=messages]').innerText()).toContain('iam:UpdateAccessKey');

    await inMessages('button-approve').click();
    await page.getByText('You cannot approve this').waitFor(patience);
    await become(demoIds.gil, 'Gil');
    await inMessages('button-approve').click();
    await page.getByText('You cannot approve this').waitFor(patience);
    await shot('05-refused.png');
    expect(await page.getByTestId('step-4').getAttribute('data-done')).not.toBe('true');
  });

  it('disables the key when on-call approves, and the stolen key stops working', async () => {
    await become(demoIds.omar, 'Omar');
    await inMessages('button-approve').click();
    await inMessages('button-undo').waitFor(patience);
    await inMessages('button-undo').scrollIntoViewIfNeeded();
    expect(await page.locator('[data-testid=messages]').innerText()).toContain('is Inactive');
    await shot('06-verified.png');

    // IAM's delay (3 s in the demo) is part of what a person sees.
    await expect
      .poll(
        async () => {
          await page.getByTestId('action-menu').click();
          await page.getByTestId('action-attack').click();
          await page.getByTestId('toast').last().getByText('AKIA').waitFor(patience);
          return page.getByTestId('toast').last().innerText();
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toContain('refused');
  });

  it('undoes it with an approval of its own', async () => {
    await become(demoIds.rosa, 'Rosa');
    await inMessages('button-undo').click();
    await inMessages('button-approve').waitFor(patience);
    await become(demoIds.omar, 'Omar');
    await inMessages('button-approve').click();

    await page.locator('[data-testid=step-5][data-done=true]').waitFor(patience);
    await page.getByText('is Active.').waitFor(patience);
    await shot('07-undone.png');
  });

  it('stays with the person chosen last, whatever answer was still on its way', async () => {
    await become(demoIds.rosa, 'Rosa');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const late = `**/demo/state?as=${demoIds.gil}`;
    await page.route(late, async (route) => {
      await held;
      await route.continue();
    });
    const isAsked = page.waitForRequest((request) => request.url().endsWith(`as=${demoIds.gil}`));
    await page.getByTestId(`person-${demoIds.gil}`).click();
    await isAsked;
    await page.getByTestId(`person-${demoIds.omar}`).click();
    release();
    await page.getByTestId('you-are').getByText('Omar').waitFor(patience);
    await page.unroute(late);
  });

  it('is readable and tappable at phone width', async () => {
    await expect.poll(() => page.getByTestId('toast').count(), patience).toBe(0);
    await page.setViewportSize({ width: 390, height: 844 });
    const sidebar = () => page.getByTestId('sidebar').boundingBox();
    await expect
      .poll(async () => ((await sidebar())?.x ?? 0) + ((await sidebar())?.width ?? 0), patience)
      .toBeLessThanOrEqual(0);
    await inMessages('button-pivot').last().scrollIntoViewIfNeeded();
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(overflow).toBe(0);
    const box = await inMessages('button-pivot').last().boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(30);
    await shot('08-phone.png');
  });

  it('logs no error in the browser', () => {
    expect(consoleErrors).toEqual([]);
  });
});
