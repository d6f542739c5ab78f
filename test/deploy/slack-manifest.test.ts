import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { botScopes } from '../../src/slack/installation.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');

/** Slack's limits for a manifest of version 2. Strict: a misspelt key must not pass. */
const Manifest = z.strictObject({
  _metadata: z.strictObject({ major_version: z.literal(2) }),
  display_information: z.strictObject({
    name: z.string().max(35),
    description: z.string().max(140),
    long_description: z.string().min(175).max(4000),
    background_color: z.string().regex(/^#[0-9a-f]{6}$/i),
  }),
  features: z.strictObject({
    app_home: z.strictObject({
      home_tab_enabled: z.boolean(),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    bot_user: z.strictObject({ display_name: z.string().max(80), always_online: z.boolean() }),
    slash_commands: z
      .array(
        z.strictObject({
          command: z
            .string()
            .regex(/^\/[a-z-]+$/)
            .max(32),
          url: z.url({ protocol: /^https$/ }).optional(),
          description: z.string().max(2000),
          usage_hint: z.string().max(1000),
          should_escape: z.boolean(),
        }),
      )
      .max(50),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).max(255) }) }),
  settings: z.strictObject({
    interactivity: z.strictObject({
      is_enabled: z.literal(true),
      request_url: z.url({ protocol: /^https$/ }).optional(),
    }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.literal(false),
  }),
});

function manifest(file: string): z.output<typeof Manifest> {
  return Manifest.parse(parse(readFileSync(join(deploy, file), 'utf8')));
}

const http = manifest('slack-manifest.yml');
const socket = manifest('slack-manifest.socket.yml');

describe('the Slack app manifests', () => {
  it('let Slack deliver direct messages, to which nobody can answer', () => {
    for (const { features } of [http, socket]) {
      expect(features.app_home).toMatchObject({ messages_tab_enabled: true, messages_tab_read_only_enabled: true });
    }
  });

  it('ask for the scopes that the doctor looks for', () => {
    for (const { oauth_config } of [http, socket]) {
      expect([...oauth_config.scopes.bot].sort()).toEqual([...botScopes].sort());
    }
  });

  it.each([
    ['HTTP', http],
    ['Socket Mode', socket],
  ])('of %s ask for /ir with escaped mentions and for no right beyond what Firebreak uses', (_name, each) => {
    expect(each.features.slash_commands).toMatchObject([{ command: '/ir', should_escape: true }]);
    expect(each.oauth_config.scopes.bot.toSorted()).toEqual([
      'channels:history',
      'channels:read',
      'chat:write',
      'commands',
      'files:write',
      'groups:history',
      'groups:read',
      'usergroups:read',
      'users:read',
      'users:read.email',
    ]);
  });

  it('name the address of the door over HTTP, and none in Socket Mode', () => {
    expect(http.settings.socket_mode_enabled).toBe(false);
    expect(http.settings.interactivity.request_url).toMatch(/\/slack\/events$/);
    expect(http.features.slash_commands[0]?.url).toBe(http.settings.interactivity.request_url);

    expect(socket.settings.socket_mode_enabled).toBe(true);
    expect(JSON.stringify(socket)).not.toContain('https://');
  });

  it('differ in nothing else', () => {
    const withoutUrls = (each: z.output<typeof Manifest>): unknown => ({
      ...each,
      features: { ...each.features, slash_commands: each.features.slash_commands.map(({ url: _, ...rest }) => rest) },
      settings: undefined,
    });

    expect(withoutUrls(socket)).toEqual(withoutUrls(http));
  });
});
