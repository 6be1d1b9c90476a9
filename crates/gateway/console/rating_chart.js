/**
 * A player's rating over time: a line with a band as wide as it is uncertain, and what it was after each match under
 * the pointer or the arrow keys.
 * @module rating_chart
 */

import { h, s, setAttribute } from './dom.js';
import { day, points } from './player_words.js';

const MARGIN = { top: 12, right: 16, bottom: 26, left: 48 };
const ROWS = 4;
/** Up to so many each match has a dot. */
const MAX_DOTS = 60;
const LABEL_PX = 110;

/** @returns {{node: HTMLElement, update: (system: string, history: Object[]) => void, close: () => void}} */
export function ratingChart() {
  const svg = s('svg', { class: 'chart rating-chart', tabindex: '0', role: 'slider', 'aria-label': 'Rating over time; arrow keys move through the matches' });
  const tip = h('div', { class: 'tip', hidden: '' });
  const plot = h('div', { class: 'plot' }, svg, tip);
  const view = { svg, tip, plot, system: '', history: [], scale: null, cursor: null };
  const observer = new ResizeObserver(() => draw(view));
  observer.observe(plot);
  listen(view);
  return {
    node: plot,
    close: () => observer.disconnect(),
    update(system, history) {
      Object.assign(view, { system, history, cursor: null });
      draw(view);
    },
  };
}

/** Where a time and a number are in the picture. */
function scales({ history, plot }) {
  const { width, height } = plot.getBoundingClientRect();
  const times = history.map(({ time }) => Date.parse(time));
  const [first, last] = [times[0], times.at(-1)];
  const low = Math.min(...history.map(({ rating, deviation }) => rating - deviation));
  const high = Math.max(...history.map(({ rating, deviation }) => rating + deviation));
  const step = niceStep((high - low) / ROWS);
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const across = width - MARGIN.left - MARGIN.right;
  const down = height - MARGIN.top - MARGIN.bottom;
  const x = (time) => MARGIN.left + (last > first ? (time - first) / (last - first) : 0.5) * across;
  const y = (number) => MARGIN.top + (1 - (number - from) / (to - from)) * down;
  const rows = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, n) => from + n * step);
  return { width, height, times, first, last, across, rows, step, x, y };
}

/** The least of 1, 2, 5, 10, … that is at least so much. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-6)));
  return [1, 2, 5, 10].find((times) => times * power >= least) * power;
}

function draw(view) {
  const { svg, plot, history } = view;
  const { width, height } = plot.getBoundingClientRect();
  if (history.length === 0 || width < 60) return;
  const scale = scales(view);
  view.scale = scale;
  setAttribute(svg, 'viewBox', `0 0 ${width} ${height}`);
  const at = history.map(({ rating, deviation }, index) => ({ x: scale.x(scale.times[index]), y: scale.y(rating), up: scale.y(rating + deviation), down: scale.y(rating - deviation) }));
  const kept = thinned(at, scale.across);
  const path = (list, of) => list.map((each, n) => `${n ? 'L' : 'M'}${each.x.toFixed(1)} ${each[of].toFixed(1)}`).join('');
  const band = `${path(kept, 'up')}${path(kept.toReversed(), 'down').replace('M', 'L')}Z`;
  svg.replaceChildren(...grid(scale, view.system), ...days(scale),
    s('path', { class: 'rating-band', d: band }),
    s('path', { class: 'rating-line', d: path(kept, 'y'), 'data-points': kept.length, 'data-matches': history.length }),
    ...(at.length <= MAX_DOTS ? at : at.slice(-1)).map((each) => s('circle', { class: 'rating-dot', cx: each.x, cy: each.y, r: 3 })),
    s('g', { class: 'cursor', visibility: 'hidden' }, s('line', { y1: MARGIN.top, y2: height - MARGIN.bottom }), s('circle', { r: 4.5 })));
  setAttribute(svg, 'aria-valuemin', 0);
  setAttribute(svg, 'aria-valuemax', history.length - 1);
  point(view, view.cursor);
}

/** Two points for each picture element are as many as can be seen. */
function thinned(all, across) {
  const stride = Math.max(1, Math.ceil(all.length / (2 * across)));
  return all.filter((_, index) => index % stride === 0 || index === all.length - 1);
}

function grid({ rows, y, width, step }, system) {
  const text = (number) => (step < 1 ? number.toFixed(1) : points(system === 'openskill' ? '' : system, number));
  return rows.map((number) => s('g', { class: 'grid' },
    s('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(number), y2: y(number) }),
    s('text', { x: MARGIN.left - 8, y: y(number) + 4, 'text-anchor': 'end' }, text(number))));
}

function days({ first, last, across, height, width }) {
  const format = new Intl.DateTimeFormat('en-GB', last - first < 172_800_000 ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' });
  const label = (x, time, anchor) => s('text', { x, y: height - 8, 'text-anchor': anchor }, format.format(new Date(time)));
  if (last === first) return [label(width / 2, first, 'middle')];
  const count = Math.max(1, Math.min(6, Math.floor(across / LABEL_PX)));
  return Array.from({ length: count + 1 }, (_, n) => label(MARGIN.left + (n / count) * across, first + (n / count) * (last - first), n === 0 ? 'start' : n === count ? 'end' : 'middle'));
}

function listen(view) {
  const { svg, plot } = view;
  const at = (event) => {
    if (!view.scale) return;
    const x = event.clientX - plot.getBoundingClientRect().left;
    const away = view.scale.times.map((time) => Math.abs(view.scale.x(time) - x));
    point(view, away.lastIndexOf(Math.min(...away)));
  };
  svg.addEventListener('pointermove', at);
  svg.addEventListener('pointerdown', at);
  svg.addEventListener('pointerleave', () => point(view, null));
  svg.addEventListener('blur', () => point(view, null));
  svg.addEventListener('keydown', (event) => {
    const last = view.history.length - 1;
    const from = view.cursor ?? last;
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, PageDown: from - 10, PageUp: from + 10, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(view, Math.max(0, Math.min(last, to)));
  });
}

/** Moves the cursor to a match, or takes it away. */
function point(view, index) {
  const { svg, tip, plot, history, scale, system } = view;
  view.cursor = index;
  const place = index ?? history.length - 1;
  const shown = history[place];
  const cursor = svg.querySelector('.cursor');
  if (!shown || !scale || !cursor) return;
  const change = place > 0 ? shown.rating - history[place - 1].rating : 0;
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  const said = [day(shown.time), `${points(system, shown.rating)} ± ${points(system, shown.deviation)}`,
    ...(place > 0 ? [`${sign}${points(system, Math.abs(change))}${shown.match ? ` in ${shown.match}` : ''}`] : shown.match ? [shown.match] : [])];
  setAttribute(svg, 'aria-valuenow', place);
  setAttribute(svg, 'aria-valuetext', said.join(', '));
  setAttribute(cursor, 'visibility', index === null ? 'hidden' : 'visible');
  tip.hidden = index === null;
  if (index === null) return;
  const [x, y] = [scale.x(scale.times[index]), scale.y(shown.rating)];
  const [rule, dot] = cursor.children;
  setAttribute(rule, 'x1', x);
  setAttribute(rule, 'x2', x);
  setAttribute(dot, 'cx', x);
  setAttribute(dot, 'cy', y);
  tip.replaceChildren(...said.map((text, n) => h('div', { class: n === 0 ? 'tip-head' : 'tip-row' }, text)));
  const { width } = plot.getBoundingClientRect();
  const left = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
  tip.style.setProperty('--x', `${Math.max(0, left)}px`);
}
