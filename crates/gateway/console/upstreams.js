/**
 * The upstreams from which the server fetches events: whether each answers, and what it brought.
 * @module upstreams
 */

import { upstreams } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';

const EVERY_MS = 5_000;

const STATES = {
  connecting: 'connecting', connected: 'answers', held: 'waits, the server is busy', failing: 'fails, is tried again',
  broken: 'fails, is left alone for a while',
};

/**
 * Draws them and keeps them up to date for as long as the page is open and visible; nothing where none is set.
 * @returns {HTMLElement}
 */
export function upstreamStrip() {
  const list = h('ol', { class: 'stages' });
  const count = h('span', { class: 'quiet' });
  const node = h('section', { class: 'card latency upstreams', hidden: '', 'aria-label': 'Upstreams' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Upstreams'), count), list);
  const read = async () => {
    if (document.hidden) return;
    const found = await upstreams().catch(() => null);
    if (!found) return;
    node.hidden = found.length === 0;
    const well = found.filter(({ state }) => state === 'connected').length;
    setText(count, `${well} of ${found.length} ${found.length === 1 ? 'answers' : 'answer'}`);
    keyed(list, found, ({ name }) => name, item, update);
  };
  read();
  setInterval(read, EVERY_MS);
  document.addEventListener('visibilitychange', read);
  return node;
}

function item() {
  return h('li', { class: 'stage upstream' },
    h('div', { class: 'upstream-head' }, h('i', { 'aria-hidden': 'true' }), h('b'), h('span', { class: 'quiet' })),
    h('div', { class: 'upstream-state' }), h('div', { class: 'stage-rest' }));
}

function update(node, upstream) {
  const { name, kind, format, class: rank, state, error, events, url, answered } = upstream;
  const [head, is, rest] = node.children;
  const [, title, what] = head.children;
  setAttribute(node, 'data-state', state);
  setAttribute(node, 'title', answered ? `${url}, last answer ${new Date(answered).toLocaleString()}` : url);
  setText(title, name);
  setText(what, [kind, format !== 'cloudevents' && format, rank].filter(Boolean).join(' · '));
  setText(is, error ? `${STATES[state] ?? state}: ${error}` : STATES[state] ?? state);
  const told = [`${compact(events.appended)} new`, events.duplicate && `${compact(events.duplicate)} known before`, events.rejected && `${compact(events.rejected)} refused`];
  setText(rest, told.filter(Boolean).join(' · '));
}

const compact = (n) => new Intl.NumberFormat('en', { notation: 'compact' }).format(n);
