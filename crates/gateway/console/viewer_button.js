/**
 * The button in the head that says who looks, and the dialog that takes a token.
 * @module viewer_button
 */

import { me } from './api.js';
import { field, openDialog } from './dialog.js';
import { h, setAttribute, setText } from './dom.js';
import { isPerson, isToken, setToken } from './viewer.js';

/** Told when somebody else looks. */
const CHANGED = 'matchwire:viewer';

/**
 * Calls `changed` whenever somebody else looks, until the answer is called.
 * @param {() => void} changed
 * @returns {() => void}
 */
export function onViewer(changed) {
  addEventListener(CHANGED, changed);
  return () => removeEventListener(CHANGED, changed);
}

/** Asks for a token, and looks as its person once the server has said that it is good. */
export function askToken() {
  openDialog({
    title: 'Look as yourself',
    body: [
      h('p', { class: 'quiet' }, 'Paste the token by which the platform around Matchwire knows you. You then see what only you may see, and your friends. It is kept until this tab is closed, and goes nowhere but to this server.'),
      field('Token', { name: 'token', required: '', autocapitalize: 'none', spellcheck: 'false', autocomplete: 'off' }),
    ],
    action: 'Look',
    isSigned: false,
    async send(said) {
      const text = said('token') ?? '';
      if (!isToken(text)) throw new Error('This is no token: it has characters that none has.');
      setToken(text);
      try {
        await me();
      } catch (error) {
        setToken('');
        throw error;
      } finally {
        dispatchEvent(new Event(CHANGED));
      }
    },
  });
}

/** Looks as a stranger again. */
export function forgetToken() {
  setToken('');
  dispatchEvent(new Event(CHANGED));
}

/** @returns {HTMLElement} */
export function viewerButton() {
  const button = h('button', { type: 'button', class: 'button', onclick: () => (isPerson() ? forgetToken() : askToken()) });
  const show = async () => {
    setText(button, isPerson() ? 'Sign out' : 'Sign in');
    setAttribute(button, 'title', isPerson() ? 'Look as a stranger again' : 'Look as the person of a token');
    if (!isPerson()) return;
    const { player } = await me().catch(() => ({}));
    if (player && isPerson()) setText(button, `${player} · Sign out`);
  };
  onViewer(show);
  show();
  return button;
}
