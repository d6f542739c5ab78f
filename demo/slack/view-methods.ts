/** views.*: modals as a stack of at most three per person, and App Home, with hashes against races (DOMAIN.md 1.3). */
import { randomBytes } from 'node:crypto';
import { checkView } from './block-rules.ts';
import { isRecord, structured, textArgument } from './body.ts';
import { newId, type State, withIds } from './state.ts';
import { type ApiCall, type Method, missing, type Reply, refusal } from './web-api.ts';
import { demoIds, type View } from './workspace.ts';

const maxStack = 3;

/** Makes a checked view out of what the app sent. Also used for answers to view_submission. */
export function makeView(
  state: State,
  sent: unknown,
  userId: string,
  surface: 'modal' | 'home',
  over?: View,
): { view: View } | { refused: Reply } {
  const verdict = checkView(sent, surface);
  if (!verdict.ok) return { refused: refusal(verdict.error, verdict.messages) };
  const given = isRecord(sent) ? sent : {};
  const externalId = String(given.external_id ?? '');
  const taken = [...state.views.values()].some((each) => each.external_id === externalId && each.id !== over?.id);
  if (externalId !== '' && taken) return { refused: refusal('duplicate_external_id') };
  const stack = surface === 'home' ? [] : (state.stacks.get(userId) ?? []);
  const id = over?.id ?? newId('V');
  const view: View = {
    id,
    type: surface,
    userId,
    hash: `${Date.now()}.${randomBytes(4).toString('hex')}`,
    external_id: externalId,
    root_view_id: over?.root_view_id ?? stack[0] ?? id,
    previous_view_id: over ? over.previous_view_id : (stack.at(-1) ?? null),
    callback_id: String(given.callback_id ?? ''),
    private_metadata: String(given.private_metadata ?? ''),
    notify_on_close: given.notify_on_close === true,
    clear_on_close: given.clear_on_close === true,
    title: given.title,
    submit: given.submit,
    close: given.close,
    blocks: withIds(Array.isArray(given.blocks) ? given.blocks : []),
  };
  return { view };
}

/** The view as payloads and answers show it. */
export function viewObject(view: View, values?: unknown): Record<string, unknown> {
  const { userId: _userId, errors: _errors, title, submit, close, ...shown } = view;
  return {
    ...shown,
    team_id: demoIds.team,
    app_id: demoIds.app,
    bot_id: demoIds.bot,
    title: title ?? null,
    submit: submit ?? null,
    close: close ?? null,
    state: { values: values ?? {} },
  };
}

/** Puts a view on top of a person's stack. */
export function showView(state: State, view: View): void {
  state.views.set(view.id, view);
  const stack = state.stacks.get(view.userId) ?? [];
  if (!stack.includes(view.id)) state.stacks.set(view.userId, [...stack, view.id]);
  state.changed();
}

/** Takes the top view, or all of them, off a person's stack. */
export function dropViews(state: State, userId: string, which: 'top' | 'all'): void {
  const stack = state.stacks.get(userId) ?? [];
  const gone = which === 'all' ? stack : stack.slice(-1);
  for (const id of gone) state.views.delete(id);
  state.stacks.set(
    userId,
    stack.filter((id) => !gone.includes(id)),
  );
  state.changed();
}

function open(call: ApiCall, isPush: boolean): Reply {
  const trigger = call.takeTrigger(textArgument(call.args, 'trigger_id') ?? '');
  if ('error' in trigger) return refusal(trigger.error);
  const stack = call.state.stacks.get(trigger.userId) ?? [];
  if (isPush && stack.length === 0) return refusal('not_found');
  if (isPush && stack.length >= maxStack) return refusal('push_limit_reached');
  if (!isPush) dropViews(call.state, trigger.userId, 'all');
  const made = makeView(call.state, structured(call.args.view), trigger.userId, 'modal');
  if ('refused' in made) return made.refused;
  showView(call.state, made.view);
  return { ok: true, view: viewObject(made.view) };
}

function update(call: ApiCall): Reply {
  const id = textArgument(call.args, 'view_id');
  const externalId = textArgument(call.args, 'external_id');
  if (id === undefined && externalId === undefined) return missing('view_id');
  const old = [...call.state.views.values()].find(
    (each) => each.id === id || (id === undefined && each.external_id === externalId),
  );
  if (!old) return refusal('not_found');
  const hash = textArgument(call.args, 'hash');
  if (hash !== undefined && hash !== old.hash) return refusal('hash_conflict');
  const made = makeView(call.state, structured(call.args.view), old.userId, old.type, old);
  if ('refused' in made) return made.refused;
  call.state.views.set(old.id, made.view);
  call.state.changed();
  return { ok: true, view: viewObject(made.view) };
}

function publish(call: ApiCall): Reply {
  const userId = textArgument(call.args, 'user_id') ?? '';
  if (!call.state.people.has(userId)) return refusal('user_not_found');
  const old = [...call.state.views.values()].find((each) => each.type === 'home' && each.userId === userId);
  const hash = textArgument(call.args, 'hash');
  if (hash !== undefined && old && hash !== old.hash) return refusal('hash_conflict');
  const made = makeView(call.state, structured(call.args.view), userId, 'home', old);
  if ('refused' in made) return made.refused;
  call.state.views.set(made.view.id, made.view);
  call.state.changed();
  return { ok: true, view: viewObject(made.view) };
}

export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': (call) => open(call, false),
  'views.push': (call) => open(call, true),
  'views.update': update,
  'views.publish': publish,
};
