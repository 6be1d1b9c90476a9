/**
 * The win-probability chart: the chance of each team to win the map over the events of the match,
 * with the chance of the round as a thin line and the rounds as a grid.
 * @module chart
 */

import { line, rounds, sample, scales } from './chart_series.js';
import { h, s, setAttribute, setText } from './dom.js';
import { scoreBefore } from './reading.js';
import { percent, teamName } from './words.js';

const MARGIN = { top: 10, right: 12, bottom: 24, left: 40 };
const MIN_LABEL_PX = 24;

/**
 * @returns {{node: HTMLElement, update: (model: import('./map_model.js').MapModel) => void, close: () => void}}
 */
export function chart() {
  const svg = s('svg', { class: 'chart', tabindex: '0', role: 'slider', 'aria-label': 'Chance to win the map, event by event; arrow keys move through it' });
  const tip = h('div', { class: 'tip', hidden: '' });
  const names = [h('bdi'), h('bdi')];
  const toggle = h('input', { type: 'checkbox', onchange: () => setAttribute(svg, 'data-rounds-off', toggle.checked ? null : '') });
  // On a phone the thin line is more noise than news.
  toggle.checked = matchMedia('(min-width: 560px)').matches;
  toggle.dispatchEvent(new Event('change'));
  const empty = h('p', { class: 'quiet chart-empty' }, 'The chart begins with the first round');
  const plot = h('div', { class: 'plot' }, svg, tip, empty);
  const node = h('section', { class: 'card chart-card', 'aria-label': 'Win probability' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Win probability'),
      h('div', { class: 'legend' },
        ...names.map((name, team) => h('span', {}, h('span', { class: 'swatch', 'data-team': team }), name)),
        h('label', {}, toggle, h('span', { class: 'swatch thin' }), 'round'))),
    plot);
  const view = { svg, tip, plot, state: null, predictions: [], cursor: null, scale: null };

  const redraw = () => draw(view);
  const observer = new ResizeObserver(redraw);
  observer.observe(plot);
  listen(view);
  let drawnRound;
  return {
    node,
    close: () => observer.disconnect(),
    update({ state, predictions }) {
      names.forEach((name, team) => setText(name, teamName(state, team)));
      view.state = state;
      const isSame = view.predictions === predictions && drawnRound === state.max_rounds;
      if (isSame) return;
      drawnRound = state.max_rounds;
      view.predictions = predictions;
      empty.hidden = predictions.length > 1;
      redraw();
    },
  };
}

function draw(view) {
  const { svg, plot, predictions } = view;
  const { width, height } = plot.getBoundingClientRect();
  setAttribute(svg, 'hidden', predictions.length > 1 ? null : '');
  if (predictions.length < 2 || width < 50) return;
  setAttribute(svg, 'viewBox', `0 0 ${width} ${height}`);
  const scale = scales({ width, height, ...MARGIN, count: predictions.length });
  view.scale = scale;
  const cursor = s('g', { class: 'cursor', visibility: 'hidden' },
    s('line', { y1: MARGIN.top, y2: height - MARGIN.bottom }), s('circle', { r: 4.5 }));
  svg.replaceChildren(...grid(scale, width, height), ...roundGrid(view, scale, width, height), ...series(predictions, scale, width, height), cursor);
  const last = predictions.length - 1;
  setAttribute(svg, 'aria-valuemin', 0);
  setAttribute(svg, 'aria-valuemax', last);
  point(view, view.cursor === null ? null : Math.min(view.cursor, last));
}

function grid(scale, width, height) {
  const rows = [0, 0.25, 0.5, 0.75, 1].map((p) => s('g', { class: p === 0.5 ? 'grid half-line' : 'grid' },
    s('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: scale.y(p), y2: scale.y(p) }),
    p === 0.25 || p === 0.75 ? null : s('text', { x: MARGIN.left - 7, y: scale.y(p) + 4, 'text-anchor': 'end' }, `${Math.abs(p - 0.5) * 100 + 50}%`)));
  const [middle, x] = [(height - MARGIN.bottom + MARGIN.top) / 2, 7];
  const arrows = [[0, MARGIN.top + 24, -1], [1, height - MARGIN.bottom - 24, 1]].map(([team, y, way]) =>
    s('path', { class: 'arrow', 'data-team': team, d: `M${x} ${(y + middle) / 2 - way * 12}v${way * 24}m-4 ${-way * 5}l4 ${way * 5}l4 ${-way * 5}` }));
  return [...rows, ...arrows];
}

function roundGrid({ predictions, state }, scale, width, height) {
  const bottom = height - MARGIN.bottom;
  const half = (state?.max_rounds ?? 24) / 2;
  let labelled = -Infinity;
  return rounds(predictions).filter(({ round }) => round > 0).map(({ round, from, to }) => {
    const x = scale.x(from);
    const middle = (x + scale.x(to)) / 2;
    const isBorder = round > 1 && (round <= 2 * half ? (round - 1) % half === 0 : (round - 1 - 2 * half) % 6 === 0);
    const fits = middle - labelled >= MIN_LABEL_PX && middle < width - MARGIN.right - 6;
    if (fits) labelled = middle;
    const winner = state?.rounds?.[round]?.winner;
    return s('g', { class: isBorder ? 'round-line border' : 'round-line' },
      s('line', { x1: x, x2: x, y1: MARGIN.top, y2: bottom }),
      winner === undefined ? null : s('rect', { class: 'round-win', 'data-team': winner, x: x + 0.75, y: bottom + 1.5, width: Math.max(1, scale.x(to) - x - 0.5), height: 3, rx: 1 }),
      fits ? s('text', { x: middle, y: bottom + 18, 'text-anchor': 'middle' }, round) : null);
  });
}

function series(predictions, scale, width, height) {
  const points = sample(predictions).map((index) => [scale.x(index), scale.y(predictions[index].map[0])]);
  const middle = scale.y(0.5);
  const path = line(points);
  const area = `${path}L${points.at(-1)[0].toFixed(1)} ${middle}L${points[0][0].toFixed(1)} ${middle}Z`;
  const roundPath = rounds(predictions).filter(({ round }) => round > 0).map(({ from, to }) =>
    line(predictions.slice(from, to + 1).map(({ round }, n) => [scale.x(from + n), scale.y(round[0])]))).join('');
  const clip = (id, y, tall) => s('clipPath', { id }, s('rect', { x: 0, y, width, height: Math.max(0, tall) }));
  return [
    s('defs', {}, clip('above', 0, middle), clip('below', middle, height - middle)),
    s('path', { class: 'round-odds', d: roundPath }),
    ...['above', 'below'].flatMap((half, team) => [
      s('path', { class: 'area', 'data-team': team, 'clip-path': `url(#${half})`, d: area }),
      s('path', {
        class: 'line', 'data-team': team, 'clip-path': `url(#${half})`, d: path,
        'data-points': points.length, 'data-predictions': predictions.length, 'data-seq': predictions.at(-1).seq,
      }),
    ]),
    s('circle', { class: 'last', cx: points.at(-1)[0], cy: points.at(-1)[1], r: 3.5, 'data-team': points.at(-1)[1] > middle ? 1 : 0 }),
  ];
}

function listen(view) {
  const { svg, plot } = view;
  const at = (event) => view.scale && point(view, view.scale.indexAt(event.clientX - plot.getBoundingClientRect().left));
  svg.addEventListener('pointermove', at);
  svg.addEventListener('pointerdown', at);
  svg.addEventListener('pointerleave', () => point(view, null));
  svg.addEventListener('blur', () => point(view, null));
  svg.addEventListener('keydown', (event) => {
    const last = view.predictions.length - 1;
    const from = view.cursor ?? last;
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, PageDown: from - 20, PageUp: from + 20, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(view, Math.max(0, Math.min(last, to)));
  });
}

/** Moves the cursor to a prediction, or takes it away. */
function point(view, index) {
  const { svg, tip, plot, predictions, state, scale } = view;
  view.cursor = index;
  const shown = predictions[index ?? predictions.length - 1];
  if (!shown || !scale || !state) return;
  const said = sayPoint(shown, state);
  setAttribute(svg, 'aria-valuenow', index ?? predictions.length - 1);
  setAttribute(svg, 'aria-valuetext', said.join(', '));
  const cursor = svg.querySelector('.cursor');
  if (cursor) setAttribute(cursor, 'visibility', index === null ? 'hidden' : 'visible');
  tip.hidden = index === null;
  if (index === null || !cursor) return;
  const [x, y] = [scale.x(index), scale.y(shown.map[0])];
  const [rule, dot] = cursor.children;
  setAttribute(rule, 'x1', x);
  setAttribute(rule, 'x2', x);
  setAttribute(dot, 'cx', x);
  setAttribute(dot, 'cy', y);
  setAttribute(dot, 'data-team', shown.map[0] < 0.5 ? 1 : 0);
  tip.replaceChildren(...said.map((text, n) => h('div', { class: n === 0 ? 'tip-head' : 'tip-row' }, text)));
  const { width } = plot.getBoundingClientRect();
  const left = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
  tip.style.setProperty('--x', `${Math.max(0, left)}px`);
}

/** A prediction in words: round and score, then the chances. */
function sayPoint({ round_no: number, map, round }, state) {
  const decided = (round[0] === 0 || round[0] === 1) && state.rounds?.[number];
  const score = decided ? state.rounds[number].score : scoreBefore(state, number);
  const lines = [number > 0 ? `Round ${number} · ${score.join(':')}` : 'Before the first round'];
  for (const team of [0, 1]) lines.push(`${teamName(state, team)}: map ${percent(map[team])}, round ${percent(round[team])}`);
  return lines;
}
