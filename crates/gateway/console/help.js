/**
 * How to send a match to this server, with the lines to paste.
 * @module help
 */

import { h } from './dom.js';

/**
 * @param {string} [match] the match's id in the lines
 * @returns {HTMLElement}
 */
export function sendingHelp(match = 'my-match') {
  return h('div', { class: 'help' },
    step('From a Counter-Strike server', 'in its console or server.cfg',
      `log on; mp_logdetail 3; logaddress_add_http "${location.origin}/api/v1/sources/cs-log/${match}/auto"`),
    step('From a log file', 'in a shell', `matchwire send match.log --server ${location.origin} --match ${match}`),
    step('No match at hand', 'a simulated best of three', 'matchwire demo'));
}

function step(title, where, command) {
  const said = h('span', { class: 'visually-hidden', role: 'status' });
  const copy = h('button', { type: 'button', class: 'button', 'aria-label': `Copy the line: ${title}` }, 'Copy');
  // Browsers give the clipboard only to pages from a secure place; elsewhere the line is selected.
  const code = h('code', { tabindex: '0' }, command);
  copy.addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(command).then(() => true, () => false);
    if (!copied) getSelection().selectAllChildren(code);
    copy.textContent = said.textContent = copied ? 'Copied' : 'Selected';
    setTimeout(() => { copy.textContent = 'Copy'; }, 2_000);
  });
  return h('div', { class: 'step' }, h('div', { class: 'step-head' }, h('strong', {}, title), h('span', { class: 'quiet' }, where)),
    h('div', { class: 'command' }, code, copy), said);
}
