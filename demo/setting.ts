/** The demo's settings: one workspace, two accounts, and the environment and config that join Firebreak to them. */
import { athenaDatabase, athenaWorkgroup } from './aws/athena.ts';
import type { DemoAws } from './aws/server.ts';
import type { DemoSlack } from './slack/server.ts';
import { demoIds } from './slack/workspace.ts';

export const signingSecret = 'demo-signing-secret-8f2b6c';
export const botToken = 'xoxb-demo-000000000000-firebreak';
export const webhookToken = 'demo-webhook-token-31d7';

type Aws = Pick<DemoAws, 'url' | 'credentials' | 'accounts'>;

/** Environment of `firebreak serve` for these servers. */
export function environmentFor(aws: Aws, slack: Pick<DemoSlack, 'apiUrl'>): Record<string, string> {
  return {
    SLACK_BOT_TOKEN: botToken,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: slack.apiUrl,
    WEBHOOK_TOKEN: webhookToken,
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: aws.credentials.hub.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.hub.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** The config file for these servers. */
export function configFor({ accounts }: Aws): Record<string, unknown> {
  const { id, name, auditRole, responderRole, externalId } = accounts.workshop;
  return {
    mode: 'execute',
    channels: { default: demoIds.alerts, critical: demoIds.critical },
    accounts: [
      {
        id,
        name,
        environment: 'prod',
        owner: 'team-platform',
        auditRole,
        responderRole,
        externalId,
        expectedCountries: ['DE'],
      },
    ],
    approvers: { users: [demoIds.omar], groups: [demoIds.onCall], required: 1, expiryMinutes: 30 },
    responders: { users: [demoIds.rosa, demoIds.omar], groups: [] },
    athena: {
      accountId: id,
      region: 'us-east-1',
      workgroup: athenaWorkgroup,
      database: athenaDatabase,
      tables: { cloudtrail: 'cloudtrail', flowLogs: 'vpc_flow_logs', dns: 'resolver_queries' },
      maxBytesPerQuery: '1GB',
    },
    protected: [`arn:aws:iam::${id}:role/break-glass/*`],
  };
}
