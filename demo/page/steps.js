/** Five things to try, ticked by what was really done and what the app really answered. */
import { byId, el } from './dom.js';

const seen = new Set();

/** Something that only the page can know: a finding was on the screen, a thread with pictures was open. */
export function noticed(state, what) {
  const key = `${state.startedAt} ${what}`;
  if (seen.has(key) || sessionStorage.getItem(key)) return false;
  seen.add(key);
  sessionStorage.setItem(key, 'yes');
  return true;
}

function hasNoticed(state, what) {
  const key = `${state.startedAt} ${what}`;
  return seen.has(key) || sessionStorage.getItem(key) !== null;
}

function buttonsOf(message) {
  return (message?.blocks ?? [])
    .flatMap((block) => [...(block.elements ?? []), block.accessory])
    .filter((each) => each?.type === 'button');
}

/** An approval after `from` whose card no longer asks: the vote was taken. Refused votes leave the card as it is. */
function approvedSince(state, from) {
  const messages = state.channels.flatMap((channel) => channel.messages);
  return state.deeds.some(
    (deed) =>
      deed.what === 'approve' &&
      deed.at >= from.at &&
      !buttonsOf(messages.find((each) => each.ts === deed.ts)).some((each) => each.action_id === 'approve'),
  );
}

function first(state, test) {
  return state.deeds.find(test);
}

/** Which of the five are done. */
function doneSteps(state) {
  const contained = first(state, (deed) => deed.what === 'contain' || deed.what.startsWith('contain '));
  const undone = first(state, (deed) => deed.what === 'undo');
  return [
    hasNoticed(state, 'finding'),
    first(state, (deed) => deed.what === 'pivot' || deed.what.startsWith('pivot ')) !== undefined,
    hasNoticed(state, 'pictures'),
    contained !== undefined && approvedSince(state, contained),
    undone !== undefined && approvedSince(state, undone),
  ];
}

export function renderSteps(state, fill) {
  const done = doneSteps(state);
  const key = JSON.stringify([done, state.exampleArtifact]);
  if (byId('steps').dataset.key === key) return;
  byId('steps').dataset.key = key;
  const command = `/ir pivot ${state.exampleArtifact}`;
  const code = el(
    'button',
    {
      type: 'button',
      class: 'fill',
      test: 'fill-command',
      title: 'Put it into the message box',
      on: { click: () => fill(command) },
    },
    el('code', { text: command }),
  );
  const texts = [
    ['Read the finding in #ir-alerts: who, what, where, since when.'],
    ['Press ', el('b', { text: 'Pivot' }), ' on it, or type ', code],
    ['Open the thread under the answer: the story, a graph, a timeline.'],
    [
      'As Rosa press ',
      el('b', { text: 'Contain' }),
      '. Approve it as Rosa, then as Gil: both are refused. Then as Omar.',
    ],
    ['As Rosa press ', el('b', { text: 'Undo' }), ', and approve it as Omar.'],
  ];
  byId('steps').replaceChildren(
    ...texts.map((text, i) =>
      el(
        'li',
        { class: done[i] ? 'done' : '', test: `step-${i + 1}`, 'data-done': String(done[i]) },
        el('span', {
          class: 'tick',
          role: 'img',
          'aria-label': done[i] ? 'done' : 'not done yet',
          text: done[i] ? '✓' : String(i + 1),
        }),
        el('span', {}, ...text),
      ),
    ),
  );
  byId('guide-count').textContent = `${done.filter(Boolean).length} of 5`;
}
