/** `npm run demo`: a workspace, an account under attack and the real Firebreak between them; prints one URL. */
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { storyFindings } from './aws/findings.ts';
import { type DemoAws, startDemoAws } from './aws/server.ts';
import { startFirebreak } from './firebreak.ts';
import { botToken, configFor, environmentFor, signingSecret, webhookToken } from './setting.ts';
import { type DemoSlack, startDemoSlack } from './slack/server.ts';

const began = Date.now();
const port = Number(process.env.DEMO_PORT ?? 4100);

const aws = await startDemoAws({ story: 's3', iamDelayMs: 3_000, trailDelayMs: 2_000 });
const findings = storyFindings(new Date(began));
let webhookUrl = '';

const slack = await openWorkspace();
const firebreak = await startFirebreak({
  config: configFor(aws),
  env: environmentFor(aws, slack),
  onLine: (line) => {
    if (process.env.DEMO_LOG !== undefined) console.error(line);
  },
});
webhookUrl = `${firebreak.url}/webhooks/eventbridge`;
slack.setAppEventsUrl(`${firebreak.url}/slack/events`);

let stopping = false;
async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await firebreak.stop();
  await slack.close();
  await aws.close();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));
// A demo that fails on its way leaves no process behind either.
process.on('uncaughtException', (error) => {
  console.error(error);
  void stop(1);
});
firebreak.process.on('exit', (code) => {
  if (stopping) return;
  console.error(`Firebreak ended with ${code}:\n${firebreak.log().split('\n').slice(-15).join('\n')}`);
  void stop(1);
});

await firebreak.ready();
const isAboutKey = ({ text }: { readonly text: string }) => text.includes(aws.credentials.attacker.accessKeyId);
const cards = () => [...slack.messages('C07IRALERTS'), ...slack.messages('C07IRCRITIC')].length;
for (const finding of findings.mining) await send(finding);
await slack.waitFor(() => cards() >= findings.mining.length, 20_000);
// The last one, so that its card is the one at the bottom: the steps of the page are about its key.
await send(findings.accessKey);
await slack.waitFor(() => slack.messages('C07IRALERTS').some(isAboutKey), 20_000);
console.log(
  `\n  Firebreak's demo is ready after ${((Date.now() - began) / 1_000).toFixed(1)} s. Open:\n\n    ${slack.url}\n`,
);
console.log('  Everything runs on this machine. Ctrl+C ends it and leaves nothing behind.\n');

async function send(finding: { readonly detail: Readonly<Record<string, unknown>> }): Promise<number> {
  // Firebreak reads each finding again from GuardDuty.
  aws.addFinding(finding);
  const answer = await fetch(webhookUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${webhookToken}` },
    body: JSON.stringify(finding),
  });
  return answer.status;
}

function openWorkspace(): Promise<DemoSlack> {
  const wanted = {
    signingSecret,
    botToken,
    exampleArtifact: aws.credentials.attacker.accessKeyId,
    commands: [
      { text: '/ir help', hint: 'everything that can be typed' },
      { text: '/ir pivot ', hint: 'ARN, access key, IP or resource: the whole story' },
      { text: '/ir contain disable-access-key ', hint: 'ask on-call to disable a key' },
      { text: '/ir approvals', hint: 'what waits for a decision' },
      { text: '/ir freeze ', hint: 'stop all writes to AWS at once' },
    ],
    actions: [
      {
        id: 'again',
        label: 'The same finding again',
        hint: 'GuardDuty repeats it with a higher count: the card is updated, not posted twice.',
        run: async () => `Sent again with count 2: HTTP ${await send(findings.accessKeyUpdate)}.`,
      },
      {
        id: 'sample',
        label: 'A sample finding',
        hint: 'Marked as a sample; nothing can be contained from it.',
        run: async () => `Sent: HTTP ${await send(findings.sample)}.`,
      },
      {
        id: 'attack',
        label: 'The attacker uses the key',
        hint: 'A real signed call with the stolen key, to see whether it still works.',
        run: () => tryKey(aws, 'attacker'),
      },
      {
        id: 'bystander',
        label: 'Somebody else uses their own key',
        hint: 'It must go on working whatever is contained.',
        run: () => tryKey(aws, 'bystander'),
      },
    ],
  };
  // The usual port where it is free, so that the page stays where it was; else any.
  return startDemoSlack({ ...wanted, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return startDemoSlack(wanted);
  });
}

async function tryKey({ url, credentials }: DemoAws, who: 'attacker' | 'bystander'): Promise<string> {
  const keys = credentials[who];
  const client = new EC2Client({ region: 'us-east-1', endpoint: url, credentials: keys, maxAttempts: 1 });
  try {
    const answer = await client.send(new DescribeInstancesCommand({}));
    return `The call with ${keys.accessKeyId} WORKED: ${answer.Reservations?.length ?? 0} reservations were listed.`;
  } catch (error) {
    return `AWS refused the call with ${keys.accessKeyId}: ${error instanceof Error ? error.name : String(error)}.`;
  } finally {
    client.destroy();
  }
}
