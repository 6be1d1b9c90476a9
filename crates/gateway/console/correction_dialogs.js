/**
 * The dialogs that correct an event: it did not happen, or it happened otherwise.
 * @module correction_dialogs
 */

import { schema } from './api.js';
import { corrected, isCorrection } from './corrections.js';
import { field, openDialog, reasonField } from './dialog.js';
import { h, setText } from './dom.js';
import { isRuling, sentence, withoutIt } from './event_words.js';
import { decide } from './ruling.js';
import { parse, schemaForm } from './schema_form.js';

/** What a dialog is about: the event as it stands, in words. */
const quoted = (event, state) => h('blockquote', {}, h('span', { class: 'quiet' }, `#${event.seq} `), h('bdi', {}, sentence(event, state)));

/**
 * Asks whether an event is to be void.
 * @param {Object} desk
 * @param {Object} event as it was told; a correction, too, to take it back
 * @param {(outcome: Object) => void} tell
 */
export function askVoid(desk, event, tell) {
  const { history, state } = desk;
  const takesBack = isRuling(event);
  const turn = history.turns(event.seq);
  openDialog({
    title: takesBack ? `Take back event ${event.seq}` : `Void event ${event.seq}`,
    body: [quoted(corrected(event, history.verdicts.get(event.seq)) ?? event, state), h('p', {}, withoutIt(event.type)), reasonField()],
    action: takesBack ? 'Take back' : 'Void',
    async send(said) {
      const command = { type: 'event.voided', about: event.seq, turn, data: without({ seq: event.seq, reason: said('reason') }) };
      tell(await decide(desk, command, takesBack ? `Event ${event.seq} is taken back` : `Event ${event.seq} is void`));
    },
  });
}

/**
 * Asks how an event happened instead.
 * @param {Object} desk
 * @param {Object} told the event as it was told
 * @param {(outcome: Object) => void} tell
 */
export async function askAmend(desk, told, tell) {
  const { history, state } = desk;
  const event = corrected(told, history.verdicts.get(told.seq)) ?? told;
  const turn = history.turns(told.seq);
  const editor = dataEditor(event, await schema(event.type).catch(() => null), state);
  const time = field('Time', { name: 'time', value: event.time, spellcheck: 'false', pattern: '\\d{4}-\\d\\d-\\d\\dT.+', title: 'RFC 3339, 2026-01-31T18:00:00.000Z' }, 'When it happened, RFC 3339.');
  const form = h('div', {}, editor.node, time);
  const count = h('p', { class: 'quiet', 'aria-live': 'polite' }, 'Nothing is changed yet.');
  const input = time.querySelector('input');
  form.addEventListener('input', () => {
    time.toggleAttribute('data-changed', input.value.trim() !== (event.time ?? ''));
    const changed = [...form.querySelectorAll('[data-changed]')].filter((node) => !node.closest('[hidden]')).length;
    setText(count, changed === 0 ? 'Nothing is changed yet.' : preview(editor, event, state));
  });
  openDialog({
    title: `Amend event ${told.seq}`,
    body: [quoted(event, state), form, count, reasonField()],
    action: 'Amend',
    async send(said) {
      const now = said('time');
      const { type, data } = editor.read();
      const isSame = type === event.type && inOrder(data) === inOrder(event.data ?? {}) && now === event.time;
      if (isSame) throw new Error('This is what the event says already.');
      const body = without({ seq: told.seq, type, time: now === told.time ? undefined : now, data, reason: said('reason') });
      tell(await decide(desk, { type: 'event.amended', about: told.seq, turn, data: body }, `Event ${told.seq} is amended`));
    },
  });
}

/** What the event will say. */
function preview(editor, event, state) {
  try {
    return `It becomes: ${sentence({ ...event, ...editor.read() }, state)}`;
  } catch (error) {
    return error.message;
  }
}

/** The fields of an event's data, or all of it as JSON where one would rather, or nothing else is known. */
function dataEditor(event, found, state) {
  const form = found && schemaForm(found, event.data ?? {}, state);
  const area = h('textarea', { class: 'code', rows: 8, spellcheck: 'false', 'aria-label': 'Type and data as JSON' });
  const raw = h('div', { class: 'field', hidden: form ? '' : null }, area);
  const json = (data) => JSON.stringify({ type: event.type, data }, null, 2);
  const before = json(event.data ?? {});
  area.value = before;
  area.addEventListener('input', () => raw.toggleAttribute('data-changed', area.value !== before));
  const toggle = h('input', { type: 'checkbox' });
  toggle.addEventListener('change', () => {
    try {
      if (toggle.checked) area.value = json(form.read());
    } catch {
      // What is in the fields is no data yet; the text stays as it was.
    }
    // Fields that are hidden may not hold up the form.
    form.node.hidden = form.node.disabled = toggle.checked;
    raw.hidden = !toggle.checked;
  });
  const isRaw = () => !form || toggle.checked;
  return {
    node: h('div', {}, form?.node, raw, form ? h('label', { class: 'inline' }, toggle, ' Edit as JSON') : null),
    read() {
      if (!isRaw()) return { type: event.type, data: form.read() };
      const { type, data } = parse(area.value, 'The event') ?? {};
      if (typeof type !== 'string' || typeof data !== 'object' || !data) throw new Error('The event must be an object with type and data.');
      return { type, data };
    },
  };
}

/** As text, whatever the order of its fields. */
function inOrder(value) {
  return JSON.stringify(value, (_, inner) => (inner && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
}

/** Whether an event can be amended: a correction can only be taken back. */
export const canAmend = (event) => !isCorrection(event);

/** Without the fields that are not told. */
export const without = (data) => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
