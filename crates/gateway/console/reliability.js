/**
 * A reliability diagram: what was predicted against how often it came so, a line for each model, and
 * below it how many predictions that is. On the diagonal a model is as sure as it should be.
 * @module reliability
 */

import { h, s, setAttribute } from './dom.js';
import { percent } from './words.js';

const SIZE = 320;
const COUNTS = 54;
const MARGIN = { top: 10, right: 12, bottom: 34, left: 44 };
/** The least and the most that a point is wide, by its share of the predictions. */
const DOTS = [2.5, 9];

/**
 * One bin of one model.
 * @typedef {{from: number, to: number, count: number, predicted?: number, observed?: number}} Bin
 */

const across = SIZE - MARGIN.left - MARGIN.right;
const x = (p) => MARGIN.left + p * across;
const y = (p) => MARGIN.top + (1 - p) * across;
const floor = MARGIN.top + across + 18 + COUNTS;

/**
 * @param {string} caption what comes or does not
 * @returns {{node: HTMLElement, update: (lines: {model: string, bins: Bin[]}[]) => void}}
 */
export function reliabilityDiagram(caption) {
  const svg = s('svg', { class: 'reliability', role: 'img', viewBox: `0 0 ${SIZE} ${floor + MARGIN.bottom}` });
  const node = h('figure', { class: 'diagram' }, h('figcaption', {}, caption), svg);
  return {
    node,
    update(lines) {
      setAttribute(svg, 'aria-label', `${caption}. ${lines.map(({ model, bins }) => `${model}: ${inWords(bins)}`).join('. ')}`);
      svg.replaceChildren(...grid(), ...lines.flatMap(({ bins }, index) => counts(bins, index, lines.length)), ...lines.flatMap(curve).reverse());
    },
  };
}

/** What a person hears who does not see the picture. */
function inWords(bins) {
  const told = bins.filter(({ count }) => count > 0).map(({ predicted, observed, count }) => `${percent(predicted)} came ${percent(observed)} of ${count}`);
  return told.join(', ') || 'nothing yet';
}

function grid() {
  const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((p) => [
    s('line', { class: 'grid', x1: x(0), x2: x(1), y1: y(p), y2: y(p) }),
    s('line', { class: 'grid', x1: x(p), x2: x(p), y1: y(0), y2: y(1) }),
    s('text', { x: x(0) - 8, y: y(p) + 4, 'text-anchor': 'end' }, percent(p)),
    s('text', { x: x(p), y: floor + 15, 'text-anchor': p === 1 ? 'end' : 'middle' }, percent(p)),
  ]);
  return [
    ...lines, s('line', { class: 'diagonal', x1: x(0), x2: x(1), y1: y(0), y2: y(1) }),
    s('line', { class: 'grid', x1: x(0), x2: x(1), y1: floor, y2: floor }),
    s('text', { class: 'axis', x: x(0.5), y: floor + 31, 'text-anchor': 'middle' }, 'predicted'),
    s('text', { class: 'axis', transform: `translate(11 ${y(0.5)}) rotate(-90)`, 'text-anchor': 'middle' }, 'came so'),
  ];
}

/** Bars as high as the share of the predictions in the fullest bin, those of several models side by side. */
function counts(bins, index, models) {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  return bins.filter(({ count }) => count > 0).map(({ from, to, count }) => {
    const wide = (x(to) - x(from) - 3) / models;
    const high = Math.max(1, (count / most) * COUNTS);
    return s('rect', { class: 'count', 'data-series': index, x: x(from) + 1.5 + index * wide, y: floor - high, width: wide, height: high }, s('title', {}, `${count}`));
  });
}

function curve({ model, bins }, index) {
  const known = bins.filter(({ count }) => count > 0);
  const all = known.reduce((sum, { count }) => sum + count, 0);
  const path = known.map(({ predicted, observed }, place) => `${place ? 'L' : 'M'}${x(predicted).toFixed(1)} ${y(observed).toFixed(1)}`).join('');
  const dots = known.map(({ predicted, observed, count }) => {
    const r = DOTS[0] + (DOTS[1] - DOTS[0]) * Math.sqrt(count / all);
    const words = `${model}: predicted ${percent(predicted)}, came so ${percent(observed)}, ${count} predictions`;
    return s('circle', { class: 'dot', 'data-series': index, cx: x(predicted), cy: y(observed), r: r.toFixed(1) }, s('title', {}, words));
  });
  return [...dots.reverse(), s('path', { class: 'curve', 'data-series': index, d: path })];
}
