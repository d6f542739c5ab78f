/** What people do: type a command, press a button, submit a dialog. Builds Slack's payloads and handles the answers. */
import { randomBytes } from 'node:crypto';
import { isRecord, parseJson } from './body.ts';
import { present } from './chat-methods.ts';
import type { Delivery, EnvelopeType } from './delivery.ts';
import { type Control, controlsOf, type Entered, entered, inputProblems, type ViewValues } from './inputs.ts';
import { applyAnswer, type ResponseUrls } from './response-urls.ts';
import type { State } from './state.ts';
import { dropViews, makeView, showView, viewObject } from './view-methods.ts';
import { demoIds, type Ephemeral, type Message, type Person } from './workspace.ts';

const triggerLivesMs = 3_000;

export interface ClickOptions {
  /** Which block, where several have this action_id. */
  readonly blockIndex?: number;
  /** The chosen option's value or the picked id or date, for anything but a button. */
  readonly value?: string;
}

export interface Interactions {
  slash(userId: string, channelId: string, text: string, command?: string): Promise<Delivery>;
  click(userId: string, channelId: string, ts: string, actionId: string, options?: ClickOptions): Promise<Delivery>;
  clickStale(userId: string, copy: Message, actionId: string, options?: ClickOptions): Promise<Delivery>;
  /** Submits the person's top dialog. `values` by block_id or action_id. Undefined: Slack itself found fault with them. */
  submitView(userId: string, values: ViewValues): Promise<Delivery | undefined>;
  /** A button or menu inside the person's top dialog. */
  viewAction(userId: string, actionId: string, options?: ClickOptions): Promise<Delivery>;
  closeView(userId: string): Promise<void>;
  takeTrigger(id: string): { readonly userId: string } | { readonly error: string };
}

export function createInteractions(world: {
  state: State;
  url: () => string;
  responseUrls: ResponseUrls;
  deliver(type: EnvelopeType, payload: Readonly<Record<string, unknown>>): Promise<Delivery>;
}): Interactions {
  const { state, responseUrls, deliver } = world;
  const triggers = new Map<string, { userId: string; at: number; taken: boolean }>();

  function newTrigger(userId: string): string {
    const id = `${Date.now()}.${demoIds.team.length}${Date.now() % 1e9}.${randomBytes(16).toString('hex')}`;
    triggers.set(id, { userId, at: Date.now(), taken: false });
    return id;
  }

  function personOf(userId: string): Person {
    const person = state.people.get(userId);
    if (!person) throw new Error(`nobody here is ${userId}`);
    return person;
  }

  function common(person: Person) {
    return {
      user: { id: person.id, username: person.name, name: person.name, team_id: person.teamId },
      team: { id: demoIds.team, domain: demoIds.teamDomain },
      enterprise: null,
      is_enterprise_install: false,
      api_app_id: demoIds.app,
      token: 'deprecated-verification-token',
      trigger_id: newTrigger(person.id),
    };
  }

  async function slash(userId: string, channelId: string, text: string, command = '/ir'): Promise<Delivery> {
    const person = personOf(userId);
    const channel = state.channels.get(channelId);
    if (!channel) throw new Error(`no channel ${channelId}`);
    state.deed({ at: new Date().toISOString(), userId, kind: 'slash', what: text, channel: channelId });
    const delivery = await deliver('slash_commands', {
      token: 'deprecated-verification-token',
      team_id: person.teamId,
      team_domain: demoIds.teamDomain,
      channel_id: channelId,
      channel_name: channel.directWith ? 'directmessage' : channel.isPrivate ? 'privategroup' : channel.name,
      user_id: userId,
      user_name: person.name,
      command,
      text,
      api_app_id: demoIds.app,
      is_enterprise_install: 'false',
      response_url: `${world.url()}${responseUrls.mint('commands', { userId, channel: channelId })}`,
      trigger_id: newTrigger(userId),
    });
    const place = { userId, channel: channelId };
    if (delivery.outcome === 'failed') {
      state.slackbot(channelId, userId, `${command} failed with the error "${delivery.error ?? 'dispatch_failed'}"`);
      return delivery;
    }
    if (delivery.body.trim() === '') return delivery;
    const json = parseJson(delivery.body);
    const refused = applyAnswer(state, place, isRecord(json) ? json : { text: delivery.body });
    if (refused) state.slackbot(channelId, userId, `${command} failed with the error "invalid_command_response"`);
    return delivery;
  }

  async function press(userId: string, message: Message | Ephemeral, actionId: string, options: ClickOptions = {}) {
    const person = personOf(userId);
    const control = pick(message.blocks ?? [], actionId, options.blockIndex);
    const { channel, ts } = message;
    const isEphemeral = 'is_ephemeral' in message;
    state.deed({ at: new Date().toISOString(), userId, kind: 'click', what: actionId, channel, ts });
    const responsePath = responseUrls.mint('actions', { userId, channel, original: { ts, isEphemeral } });
    const thread = message.thread_ts === undefined ? {} : { thread_ts: message.thread_ts };
    const delivery = await deliver('interactive', {
      type: 'block_actions',
      ...common(person),
      container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: isEphemeral, ...thread },
      channel: { id: channel, name: state.channels.get(channel)?.name ?? 'privategroup' },
      ...(isEphemeral ? {} : { message: present(state, message, true) }),
      state: { values: {} },
      response_url: `${world.url()}${responsePath}`,
      actions: [actionOf(control, options.value)],
    });
    if (delivery.outcome === 'failed') {
      const says = `Firebreak could not be reached: the button "${actionId}" failed with the error "${delivery.error ?? ''}". Try again.`;
      state.slackbot(channel, userId, says, message.thread_ts);
    }
    return delivery;
  }

  function topView(userId: string) {
    const view = state.views.get(state.stacks.get(userId)?.at(-1) ?? '');
    if (!view) throw new Error(`${userId} has no dialog open`);
    return view;
  }

  return {
    slash,
    async click(userId, channelId, ts, actionId, options) {
      const ephemeral = state.ephemerals.find((each) => each.ts === ts && each.to === userId);
      const message = state.find(channelId, ts) ?? ephemeral;
      if (!message) throw new Error(`no message ${ts} in ${channelId}`);
      return press(userId, message, actionId, options);
    },
    clickStale: (userId, copy, actionId, options) => press(userId, copy, actionId, options),
    async submitView(userId, values) {
      const view = topView(userId);
      const problems = inputProblems(view.blocks, values);
      if (Object.keys(problems).length > 0) {
        state.views.set(view.id, { ...view, errors: problems });
        state.changed();
        return undefined;
      }
      state.deed({ at: new Date().toISOString(), userId, kind: 'submit', what: view.callback_id });
      const payload = { type: 'view_submission', ...common(personOf(userId)), response_urls: [] };
      const delivery = await deliver('interactive', {
        ...payload,
        view: viewObject(view, entered(view.blocks, values)),
      });
      const answer = parseJson(delivery.body === '' ? '{}' : delivery.body);
      const says = isRecord(answer) ? answer : {};
      if (delivery.outcome === 'failed') {
        state.views.set(view.id, { ...view, errors: { '': 'We had some trouble connecting. Try again?' } });
        state.changed();
      } else if (says.response_action === 'errors' && isRecord(says.errors)) {
        const errors = Object.fromEntries(Object.entries(says.errors).map(([key, value]) => [key, String(value)]));
        state.views.set(view.id, { ...view, errors });
        state.changed();
      } else if (says.response_action === 'update' || says.response_action === 'push') {
        const over = says.response_action === 'update' ? view : undefined;
        const made = makeView(state, says.view, userId, 'modal', over);
        if ('view' in made) showView(state, made.view);
        else state.views.set(view.id, { ...view, errors: { '': `The app answered ${made.refused.error ?? ''}.` } });
        state.changed();
      } else {
        dropViews(state, userId, says.response_action === 'clear' ? 'all' : 'top');
      }
      return delivery;
    },
    async viewAction(userId, actionId, options = {}) {
      const view = topView(userId);
      const control = pick(view.blocks, actionId, options.blockIndex);
      return deliver('interactive', {
        type: 'block_actions',
        ...common(personOf(userId)),
        container: { type: 'view', view_id: view.id },
        view: viewObject(view),
        actions: [actionOf(control, options.value)],
      });
    },
    async closeView(userId) {
      const view = topView(userId);
      dropViews(state, userId, view.clear_on_close ? 'all' : 'top');
      if (!view.notify_on_close) return;
      const payload = { type: 'view_closed', ...common(personOf(userId)), is_cleared: view.clear_on_close };
      await deliver('interactive', { ...payload, view: viewObject(view) });
    },
    takeTrigger(id) {
      const trigger = triggers.get(id);
      if (!trigger) return { error: 'invalid_trigger_id' };
      if (Date.now() - trigger.at > triggerLivesMs) return { error: 'expired_trigger_id' };
      if (trigger.taken) return { error: 'exchanged_trigger_id' };
      trigger.taken = true;
      return { userId: trigger.userId };
    },
  };
}

function pick(blocks: Message['blocks'] & object, actionId: string, blockIndex: number | undefined): Control {
  const controls = controlsOf(blocks);
  const found = controls.find(
    (each) => each.actionId === actionId && (blockIndex === undefined || each.blockIndex === blockIndex),
  );
  if (found) return found;
  const there = controls.map((each) => each.actionId).join(', ') || 'none';
  throw new Error(`no "${actionId}" to press in this message; there is: ${there}`);
}

function actionOf(control: Control, value: string | undefined): Record<string, unknown> {
  const { element, blockId } = control;
  const {
    confirm: _confirm,
    options: _options,
    option_groups: _groups,
    accessibility_label: _label,
    ...shown
  } = element;
  const chosen: Entered | Record<string, never> = element.type === 'button' ? {} : control.read(value ?? '');
  return { ...shown, ...chosen, block_id: blockId, action_ts: (Date.now() / 1000).toFixed(6) };
}
