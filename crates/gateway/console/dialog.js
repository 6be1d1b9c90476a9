/**
 * A dialog with a form: the focus goes into it and back, what it sends is sent once, and what goes
 * wrong stands beside the form.
 * @module dialog
 */

import { h, setText } from './dom.js';
import { NAME_PATTERN, NAME_RULE, referee, setReferee } from './referee_name.js';

let count = 0;

/**
 * Opens a dialog.
 * @param {Object} options
 * @param {string} options.title
 * @param {(Node|string)[]} options.body what it says and asks
 * @param {string} options.action what the button that sends it says
 * @param {boolean} [options.isGrave] whether it takes a second click
 * @param {() => string} [options.again] what the button says before that one
 * @param {boolean} [options.isSigned] whether what it does stands in the log, with the name of who does it
 * @param {(said: (name: string) => string|undefined) => Promise<void>} options.send does it, with what the
 *   form says; what it throws is shown, and the dialog stays
 * @returns {HTMLDialogElement}
 */
export function openDialog({ title, body, action, isGrave = false, again, isSigned = true, send }) {
  // A second click on what opens it is the same wish.
  const open = document.querySelector('dialog');
  if (open) return open;
  count += 1;
  const submit = h('button', { type: 'submit', class: isGrave ? 'button grave' : 'button primary' }, action);
  const cancel = h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Cancel');
  const problem = h('p', { class: 'problem', role: 'alert' });
  const who = referee() || !isSigned ? null : nameField();
  const fields = h('fieldset', { class: 'plain' }, who, ...body);
  const form = h('form', { class: 'dialog-form', autocomplete: 'off' },
    h('h2', { id: `dialog-${count}` }, title), fields, problem, h('div', { class: 'dialog-buttons' }, cancel, submit));
  const dialog = h('dialog', { class: 'dialog card', 'aria-labelledby': `dialog-${count}` }, form);
  const opener = document.activeElement;
  const home = opener?.closest('[tabindex]');

  let isArmed = false;
  const disarm = () => {
    isArmed = false;
    submit.removeAttribute('data-armed');
    setText(submit, action);
  };
  form.addEventListener('input', () => {
    setText(problem, '');
    disarm();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (who && !setReferee(who.querySelector('input').value.trim())) {
      setText(problem, `Your name: ${NAME_RULE}`);
      return;
    }
    if (isGrave && !isArmed) {
      isArmed = true;
      submit.dataset.armed = '';
      setText(submit, again());
      return;
    }
    // Fields that are disabled say nothing.
    const said = reader(form);
    fields.disabled = submit.disabled = true;
    setText(submit, 'Sending …');
    setText(problem, '');
    try {
      await send(said);
      dialog.close();
    } catch (error) {
      fields.disabled = submit.disabled = false;
      disarm();
      setText(problem, error.message);
      submit.focus();
    }
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    giveBack(opener, home);
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Gives the focus back to a button, or to what is left beside it or around it, or at least to the page. */
function giveBack(opener, home) {
  const isThere = opener?.isConnected && !opener.hidden && !opener.disabled;
  const beside = opener?.isConnected && opener.parentElement.querySelector('button:not([hidden], :disabled)');
  (isThere ? opener : beside || (home?.isConnected ? home : document.getElementById('main'))).focus({ preventScroll: true });
}

function nameField() {
  return h('label', { class: 'field' }, h('span', {}, 'Your name'),
    h('input', { name: 'referee', required: '', maxlength: 40, pattern: NAME_PATTERN, title: NAME_RULE, autocapitalize: 'none', spellcheck: 'false' }),
    h('small', { class: 'quiet' }, `It stands in the log beside what you decide. ${NAME_RULE}`));
}

/**
 * A text field with its label.
 * @param {string} label
 * @param {Object<string, *>} attributes of the input
 * @param {string} [hint]
 * @returns {HTMLLabelElement}
 */
export function field(label, attributes, hint) {
  return h('label', { class: 'field' }, h('span', {}, label), h('input', attributes), hint ? h('small', { class: 'quiet' }, hint) : null);
}

/** The field for a reason, which every decision may have. */
export const reasonField = () => field('Reason', { name: 'reason', maxlength: 128 }, 'For those who look later. Everybody can read it.');

/**
 * A choice of one of several, each with its label.
 * @param {string} label
 * @param {string} name
 * @param {[string, string][]} options value and label
 * @param {string} [chosen]
 * @returns {HTMLFieldSetElement}
 */
export function choice(label, name, options, chosen) {
  return h('fieldset', { class: 'choice' }, h('legend', {}, label),
    ...options.map(([value, text]) => h('label', {},
      h('input', { type: 'radio', name, value, required: '', checked: value === chosen ? '' : null }), h('bdi', {}, text))));
}

/**
 * Reads a form as it is now: what it says under a name, without spaces around it.
 * @param {HTMLFormElement} form
 * @returns {(name: string) => string|undefined}
 */
export function reader(form) {
  const values = new FormData(form);
  return (name) => values.get(name)?.trim() || undefined;
}

/**
 * Where it is said what came of a decision, in sight wherever one is on the page, until the next one.
 * @returns {{node: HTMLElement, tell: (outcome: {text: string, isOdd?: boolean}) => void}}
 */
export function outcomeLine() {
  const words = h('p', { role: 'status', 'aria-live': 'polite' });
  const node = h('div', { class: 'outcome' }, words, h('button', { type: 'button', class: 'button small', onclick: () => show('') }, 'Dismiss'));
  const show = (text) => {
    setText(words, text);
    node.toggleAttribute('data-empty', text === '');
  };
  show('');
  return {
    node,
    tell({ text, isOdd = false }) {
      node.toggleAttribute('data-odd', isOdd);
      show(text);
    },
  };
}
