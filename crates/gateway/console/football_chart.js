/**
 * The chances over a match, one above the other: the first team, a draw, the second team. They fill
 * the height, since one of the three comes.
 * @module football_chart
 */

import { line, sample, scales } from './chart_series.js';
import { h, s, setAttribute, setText } from './dom.js';
import { percent, teamName } from './words.js';

const MARGIN = { top: 8, right: 12, bottom: 10, left: 40 };

/**
 * @returns {{node: HTMLElement, update: (model: import('./map_model.js').MapModel) => void, close: () => void}}
 */
export function footballChart() {
  const svg = s('svg', { class: 'chart', role: 'img' });
  const names = [h('bdi'), h('bdi')];
  const empty = h('p', { class: 'quiet chart-empty' }, 'The chart begins with the kick-off');
  const plot = h('div', { class: 'plot' }, svg, empty);
  const entry = (team, name) => h('span', {}, h('span', { class: 'swatch', 'data-team': team }), name);
  const drawEntry = entry('draw', 'draw');
  const node = h('section', { class: 'card chart-card', 'aria-label': 'Win probability' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Win probability'),
      h('div', { class: 'legend' }, entry(0, names[0]), drawEntry, entry(1, names[1]))),
    plot);
  let shown = { predictions: [], goals: [] };
  const redraw = () => draw(svg, plot, shown);
  const observer = new ResizeObserver(redraw);
  observer.observe(plot);
  return {
    node,
    close: () => observer.disconnect(),
    update({ state, predictions }) {
      names.forEach((name, team) => setText(name, teamName(state, team)));
      const goals = Object.values(state.goals ?? {});
      if (shown.predictions === predictions && shown.goals.length === goals.length) return;
      shown = { predictions, goals };
      empty.hidden = predictions.length > 1;
      drawEntry.hidden = predictions.every(({ draw: drawn }) => drawn === undefined);
      const last = predictions.at(-1);
      const chances = last ? `${teamName(state, 0)} ${percent(last.map[0])}, draw ${percent(last.draw ?? 0)}, ${teamName(state, 1)} ${percent(last.map[1])}` : '';
      setAttribute(svg, 'aria-label', `Chances over the match, now ${chances}`);
      redraw();
    },
  };
}

function draw(svg, plot, { predictions, goals }) {
  const { width, height } = plot.getBoundingClientRect();
  setAttribute(svg, 'hidden', predictions.length > 1 ? null : '');
  if (predictions.length < 2 || width === 0) return;
  setAttribute(svg, 'viewBox', `0 0 ${width} ${height}`);
  const { x, y } = scales({ width, height, ...MARGIN, count: predictions.length });
  const indexes = sample(predictions);
  const first = indexes.map((index) => [x(index), y(predictions[index].map[0])]);
  const second = indexes.map((index) => [x(index), y(1 - predictions[index].map[1])]);
  const between = (upper, lower) => `${line(upper)}L${line([...lower].reverse()).slice(1)}Z`;
  const edge = (p) => indexes.map((index) => [x(index), y(p)]);
  const parts = [
    s('path', { class: 'chance', 'data-team': 0, d: between(first, edge(0)) }),
    s('path', { class: 'chance', 'data-team': 'draw', d: between(second, first) }),
    s('path', { class: 'chance', 'data-team': 1, d: between(edge(1), second) }),
    ...[0, 0.5, 1].map((p) => s('text', { x: MARGIN.left - 6, y: y(p) + 4, 'text-anchor': 'end' }, `${p * 100}%`)),
    ...goals.map((goal) => goalLine(goal, predictions, x, y)).filter(Boolean),
  ];
  svg.replaceChildren(...parts);
}

/** Where a goal moved the chances. */
function goalLine({ seq, team }, predictions, x, y) {
  const index = predictions.findIndex((prediction) => prediction.seq >= seq);
  if (index < 0) return null;
  return s('line', { class: 'goal-line', 'data-team': team, x1: x(index), x2: x(index), y1: y(1), y2: y(0) });
}
