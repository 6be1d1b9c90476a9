/**
 * The latency strip: how long each stage between the game server and this page takes, as the
 * server measures it on real traffic.
 * @module latency
 */

import { serverStatus } from './api.js';
import { h, setAttribute, setText } from './dom.js';
import { duration } from './words.js';

const EVERY_MS = 5_000;

const STAGES = [
  ['ingest', 'Ingest', 'Read, checked and normalised'],
  ['append', 'Append', 'Written to disk and synced'],
  ['fold', 'Fold', 'Folded into the state'],
  ['predict', 'Predict', 'Win probability computed'],
  ['send', 'Send', 'Handed to the connections'],
  ['e2e', 'End to end', 'From receipt to delivery'],
];

/**
 * Draws the strip and keeps it up to date for as long as the page is open and visible.
 * @returns {HTMLElement}
 */
export function latencyStrip() {
  const stages = STAGES.map(([name, title, does]) => stage(name, title, does));
  const uptime = h('span', { class: 'quiet' });
  const letters = h('span', {
    class: 'letters', hidden: '', title: 'Events that were refused and are kept: matchwire dead-letters list',
  });
  const node = h('section', { class: 'card latency', hidden: '', 'aria-label': 'Latency of each stage' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Pipeline latency'), letters, uptime),
    h('ol', { class: 'stages' }, ...stages.map(({ node: item }) => item)));
  const read = async () => {
    if (document.hidden) return;
    const status = await serverStatus().catch(() => null);
    node.hidden = !status;
    if (!status) return;
    const open = status.dead_letters?.open ?? 0;
    letters.hidden = !open;
    setText(letters, `${compact(open)} dead ${open === 1 ? 'letter' : 'letters'}`);
    setText(uptime, `last minute${Number.isFinite(status.uptime_s) ? ` · up ${upFor(status.uptime_s)}` : ''}`);
    for (const view of stages) view.update(figures(status, view.name));
  };
  read();
  setInterval(read, EVERY_MS);
  document.addEventListener('visibilitychange', read);
  return node;
}

/** The figures of a stage; end to end may be told by event type, then the busiest stands for all. */
function figures({ stages = {}, e2e = {} }, name) {
  if (name !== 'e2e') return stages[name];
  if (e2e.p50_ms !== undefined || e2e.count !== undefined) return e2e;
  return Object.values(e2e).sort((a, b) => (b?.count ?? 0) - (a?.count ?? 0))[0];
}

function stage(name, title, does) {
  const middle = h('span', { class: 'stage-p50' }, '–');
  const rest = [h('b', {}, '–'), h('b', {}, '–')];
  const count = h('span', { class: 'stage-count quiet' });
  const node = h('li', { class: 'stage', 'data-stage': name, title: does },
    h('div', { class: 'stage-name' }, title, count),
    middle, h('div', { class: 'stage-rest' }, h('span', {}, 'p95 ', rest[0]), h('span', {}, 'p99 ', rest[1])));
  return {
    name,
    node,
    update(values) {
      const any = values && (values.count ?? 1) > 0;
      setText(middle, any ? duration(values.p50_ms) : '–');
      setText(rest[0], any ? duration(values.p95_ms) : '–');
      setText(rest[1], any ? duration(values.p99_ms) : '–');
      setText(count, any && values.count ? compact(values.count) : '');
      setAttribute(node, 'data-idle', any ? null : '');
    },
  };
}

const compact = (n) => new Intl.NumberFormat('en', { notation: 'compact' }).format(n);

function upFor(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
