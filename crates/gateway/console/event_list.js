/**
 * The events of a stream as a referee reads them: newest first, in words, with what corrects them
 * and the buttons that do.
 * @module event_list
 */

import { askAmend, askVoid, canAmend } from './correction_dialogs.js';
import { corrected, isCorrection } from './corrections.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { FILTERS, isRuling, sentence } from './event_words.js';

/** So many rows are added at a time. */
const STEP = 60;
/** So many pages are read for one step, if the filter lets little through. */
const MAX_PAGES = 20;

/**
 * @param {Object} desk
 * @param {(outcome: Object) => void} tell
 * @returns {{node: HTMLElement, update: (mayAct: boolean) => void}}
 */
export function eventList(desk, tell) {
  const view = { desk, tell, filter: 'decisive', limit: STEP, mayAct: false, isReading: false, sought: null, held: Infinity };
  const list = h('ol', { class: 'events', 'aria-label': 'Events, newest first' });
  const note = h('p', { class: 'quiet events-note' });
  const more = h('button', { type: 'button', class: 'button', onclick: () => older(view) }, 'Older events');
  const foot = h('div', { class: 'events-foot' }, note, more);
  const node = h('section', { class: 'card events-card', 'aria-label': 'Events' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Events'), filters(view)), list, foot);
  const newer = h('button', { type: 'button', class: 'newer', hidden: '', onclick: () => release(view) });
  list.before(newer);
  view.list = list;
  holdWhileUsed(view);
  view.update = (mayAct = view.mayAct) => {
    const { history, state } = desk;
    view.mayAct = mayAct;
    if (!history || !state) return;
    if (view.held !== Infinity && !isUsed(view)) view.held = Infinity;
    const shown = pick(view);
    const waiting = history.head > view.held ? countNewer(view) : 0;
    newer.hidden = waiting === 0;
    setText(newer, `${waiting} newer ${waiting === 1 ? 'event' : 'events'}`);
    setAttribute(list, 'data-may-act', mayAct ? '' : null);
    keyed(list, shown, ({ seq }) => String(seq), () => h('li', { class: 'event', tabindex: '-1' }), (row, event) => drawRow(row, event, view));
    more.hidden = !history.hasOlder && shown.length < view.limit;
    more.disabled = view.isReading;
    setText(note, view.isReading ? 'Reading older events …' : history.trouble ?? (shown.length === 0 && !history.hasOlder ? 'No such events.' : ''));
    foot.hidden = more.hidden && note.textContent === '';
    // The first pages may hold nothing that the filter lets through. They are read once for each
    // choice; beyond that whoever looks has to ask.
    const sought = `${view.filter}/${view.limit}`;
    if (shown.length < view.limit && history.hasOlder && !view.isReading && view.sought !== sought) {
      view.sought = sought;
      fill(view);
    }
  };
  return { node, update: view.update };
}

function filters(view) {
  return h('div', { class: 'segments', role: 'group', 'aria-label': 'Which events' }, ...Object.entries(FILTERS).map(([name, [label]]) =>
    h('button', { type: 'button', class: 'segment', 'data-filter': name, 'aria-pressed': String(name === view.filter), onclick: () => choose(view, name) }, label)));
}

function choose(view, name) {
  view.filter = name;
  view.limit = STEP;
  view.held = Infinity;
  const pressed = view.list.parentElement.querySelectorAll('.segment');
  for (const segment of pressed) setAttribute(segment, 'aria-pressed', String(segment.dataset.filter === name));
  view.update();
}

/** The events that the filter lets through, newest first. */
function pick(view) {
  const { desk: { history }, limit, held } = view;
  const picked = [];
  for (let n = history.events.length - 1; n >= 0 && picked.length < limit; n -= 1) {
    const event = history.events[n];
    if (event.seq <= held && isLet(event, view)) picked.push(event);
  }
  return picked;
}

/** Whether the filter lets an event through; an amended one by what it is told to be now, too. */
function isLet(event, { desk: { history }, filter }) {
  const lets = FILTERS[filter][1];
  const now = corrected(event, history.verdicts.get(event.seq));
  return lets(event) || Boolean(now && lets(now));
}

const countNewer = (view) => view.desk.history.events.filter((event) => event.seq > view.held && isLet(event, view)).length;

/** While somebody points at the list or is in it, its rows stay where they are: nobody is to void the wrong event. */
function holdWhileUsed(view) {
  const { list } = view;
  const hold = () => {
    view.held = Math.min(view.held, view.desk.history?.head ?? Infinity);
  };
  const letGo = () => {
    if (!list.isConnected) document.removeEventListener('focusin', letGo);
    else if (view.held !== Infinity && !isUsed(view)) release(view);
  };
  for (const name of ['pointerenter', 'pointerdown', 'focusin']) list.addEventListener(name, hold);
  list.addEventListener('pointerleave', letGo);
  document.addEventListener('focusin', letGo);
}

/** Whether somebody points at the list, is in it, or in a dialog that was opened from there. */
const isUsed = ({ list }) => list.matches(':hover, :focus-within') || document.querySelector('dialog') !== null;

function release(view) {
  view.held = Infinity;
  view.update();
}

function older(view) {
  if (pick(view).length >= view.limit) view.limit += STEP;
  return fill(view);
}

/** Reads until there are as many rows as are wanted. */
async function fill(view) {
  if (view.isReading) return;
  view.isReading = true;
  view.update();
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { history } = view.desk;
    if (!history.hasOlder || pick(view).length >= view.limit) break;
    await history.older();
    if (view.desk.isClosed) return;
    if (history.trouble) break;
  }
  view.isReading = false;
  view.update();
}

function drawRow(row, event, view) {
  const { desk: { history, state }, mayAct } = view;
  const verdict = history.verdicts.get(event.seq);
  const now = corrected(event, verdict);
  const text = sentence(event, state);
  const nowText = verdict && now ? sentence(now, state) : '';
  const drawn = JSON.stringify([text, nowText, verdict?.seq, mayAct]);
  if (row.drawn === drawn) return;
  row.drawn = drawn;
  setAttribute(row, 'data-void', verdict && !now ? '' : null);
  setAttribute(row, 'data-ruling', isRuling(event) ? '' : null);
  const hadFocus = row.contains(document.activeElement);
  row.replaceChildren(
    h('span', { class: 'event-seq' }, `#${event.seq}`),
    h('time', { class: 'event-time quiet', datetime: event.time, title: event.time }, timeOf(event)),
    h('div', { class: 'event-words' }, ...words({ event, verdict, text, nowText, view })),
    h('span', { class: 'tag event-source', title: `Told by ${event.source}` }, event.source),
    ...(mayAct ? [h('div', { class: 'event-buttons' }, ...rowButtons(event, verdict, view))] : []));
  // The button that had the focus is gone with the old words.
  if (hadFocus) row.focus({ preventScroll: true });
}

const timeOf = ({ time }) => (Number.isFinite(Date.parse(time)) ? new Date(time).toLocaleTimeString('en-GB') : '');

function words({ event, verdict, text, nowText, view }) {
  const isGone = verdict !== undefined;
  const parts = [h(isGone ? 's' : 'span', {}, h('bdi', {}, text))];
  if (nowText) parts.push(h('span', { class: 'event-now' }, h('bdi', {}, nowText)));
  if (isGone) {
    const what = nowText ? 'amended' : isRuling(event) ? 'taken back' : 'void';
    const why = verdict.data.reason ? `: ${verdict.data.reason}` : '';
    parts.push(h('span', { class: 'event-note quiet' }, `${what} by ${verdict.source} in `, link(verdict.seq, view), why));
  }
  if (isCorrection(event)) parts.push(h('span', { class: 'event-note quiet' }, 'about ', link(event.data.seq, view)));
  return parts;
}

/** A button that leads to another event of the list. */
function link(seq, view) {
  return h('button', { type: 'button', class: 'link', onclick: () => goTo(seq, view) }, `#${seq}`);
}

async function goTo(seq, view) {
  if (!await view.desk.history.reach(seq)) return;
  view.held = Infinity;
  const isThere = () => pick(view).some((event) => event.seq === seq);
  if (!isThere() && view.filter !== 'all') choose(view, 'all');
  while (!isThere() && view.limit < view.desk.history.events.length) view.limit += STEP;
  view.update();
  const row = view.list.querySelector(`[data-key="${seq}"]`);
  row?.scrollIntoView({ block: 'center' });
  row?.focus({ preventScroll: true });
}

function rowButtons(event, verdict, view) {
  const { desk, tell } = view;
  const button = (label, act, about) => h('button', { type: 'button', class: 'button small', 'aria-label': `${label} event ${about}`, onclick: act }, label);
  const takeBack = (target) => button('Take back', () => askVoid(desk, target, tell), target.seq);
  if (verdict?.type === 'event.voided') return [takeBack(verdict)];
  const amend = canAmend(event) ? button('Amend', () => askAmend(desk, event, tell), event.seq) : null;
  if (verdict) return [amend, takeBack(verdict)];
  return [amend, isRuling(event) ? takeBack(event) : button('Void', () => askVoid(desk, event, tell), event.seq)];
}
