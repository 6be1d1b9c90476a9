/**
 * How good the predictions have been: for each game and what was predicted the models that did, those that
 * are served and those in their shadow, with figures and reliability diagrams.
 * @module calibration_page
 */

import { calibration } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { reliabilityDiagram } from './reliability.js';

const EVERY_MS = 5_000;

/** Of each target: what it asks, what one outcome is called, and what somebody gets who knows nothing. */
const TARGETS = {
  round: { asks: 'Who wins the round', one: 'round', many: 'rounds', blind: 'A coin has Brier 0.250, log loss 0.693' },
  map: { asks: 'Who wins the map', one: 'map', many: 'maps', blind: 'A coin has Brier 0.250, log loss 0.693' },
  result: { asks: 'How the match ends', one: 'match', many: 'matches', blind: 'A third each has Brier 0.667, log loss 1.099' },
};
const OUTCOMES = { first: 'The first team wins', draw: 'A draw', second: 'The second team wins' };
const COLUMNS = [
  ['Model'],
  ['Brier', 'The mean square of what the probability was away from what came; 0 is perfect'],
  ['Log loss', 'The mean of −ln of the probability of what came; 0 is perfect'],
  ['ECE', 'By how much what was predicted differs from how often it came so, on average'],
];

/**
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function calibrationPage(onConnection) {
  const progress = h('span', { class: 'quiet', role: 'status' });
  const cards = h('div', { class: 'calibration' });
  const empty = h('div', { class: 'card waiting', hidden: '' }, h('h2', {}, 'No outcome is known yet'),
    h('p', { class: 'quiet' }, 'Predictions are scored here as soon as the round or the match that they are about is decided.'));
  const node = h('div', {}, h('div', { class: 'page-head' }, h('h1', {}, 'Predictions'), progress), empty, cards);
  document.title = 'Predictions · Matchwire';
  let closed = false;
  const read = async () => {
    if (document.hidden) return;
    const found = await calibration().catch(() => null);
    if (closed) return;
    onConnection(found ? 'live' : 'reconnecting');
    if (!found) return;
    setText(progress, progressWords(found));
    empty.hidden = !found.complete || found.calibration.length > 0;
    keyed(cards, grouped(found.calibration), ({ key }) => key, card, (element, group) => element.show(group));
  };
  onConnection('connecting');
  read();
  const timer = setInterval(read, EVERY_MS);
  document.addEventListener('visibilitychange', read);
  return {
    node,
    close() {
      closed = true;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', read);
    },
  };
}

function progressWords({ complete, waiting_maps: waiting, incomplete_maps: incomplete }) {
  const parts = [complete ? '' : `still counting${waiting > 0 ? `, ${number(waiting)} ${waiting === 1 ? 'map' : 'maps'} to go` : ''}`];
  if (incomplete > 0) parts.push(`${number(incomplete)} ${incomplete === 1 ? 'map' : 'maps'} not counted as a whole`);
  return parts.filter(Boolean).join(' · ');
}

/** The rows of one game and target together, those that are served first. */
function grouped(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = `${row.game}/${row.target}`;
    if (!groups.has(key)) groups.set(key, { key, game: row.game, target: row.target, rows: [] });
    groups.get(key).rows.push(row);
  }
  for (const group of groups.values()) group.rows.sort((a, b) => a.shadow - b.shadow);
  return [...groups.values()];
}

function card({ key, game, target }) {
  const { asks, blind } = TARGETS[target] ?? { asks: target, blind: '' };
  const diagrams = h('div', { class: 'diagrams' });
  const body = h('tbody');
  const head = COLUMNS.map(([name, title]) => h('th', { scope: 'col', title }, name));
  const element = h('section', { class: 'card calibration-card', 'aria-label': `${asks}, ${game}`, 'data-target': key },
    h('div', { class: 'card-head' }, h('h2', {}, `${asks} `, h('span', { class: 'chip small' }, game))),
    h('div', { class: 'calibration-body' }, diagrams,
      h('div', { class: 'calibration-figures' }, h('div', { class: 'calibration-scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ...head)), body)), h('p', { class: 'quiet' }, blind))));
  element.show = ({ rows }) => {
    keyed(body, rows, ({ model, shadow }) => `${model}/${shadow}`, row, (line, each) => updateRow(line, each, rows.indexOf(each)));
    const outcomes = Object.keys(OUTCOMES).filter((outcome) => rows.some(({ reliability }) => reliability.some((each) => each.outcome === outcome)));
    setAttribute(diagrams, 'data-count', outcomes.length);
    keyed(diagrams, outcomes, (outcome) => outcome, diagram, (figure, outcome) => figure.draw(lines(rows, outcome)));
  };
  return element;
}

function diagram(outcome) {
  const { node, update } = reliabilityDiagram(OUTCOMES[outcome]);
  node.draw = update;
  return node;
}

function lines(rows, outcome) {
  return rows.map(({ model, shadow, reliability }) => ({
    model: shadow ? `${model}, shadow` : model,
    bins: reliability.find((each) => each.outcome === outcome)?.bins ?? [],
  }));
}

function row({ model, shadow }) {
  const name = h('th', { scope: 'row' }, h('span', { class: 'swatch' }), h('span', { class: 'model' }, model), shadow ? h('span', { class: 'chip small', title: 'Nobody is served what it predicts' }, 'shadow') : null,
    h('div', { class: 'about quiet', title: 'Predictions that were made while their outcome was open, and whose outcome is known' }));
  return h('tr', {}, name, ...COLUMNS.slice(1).map(() => h('td')));
}

function updateRow(line, { target, predictions, outcomes, maps, brier, log_loss: logLoss, ece }, index) {
  setAttribute(line.querySelector('.swatch'), 'data-series', index);
  const { one, many } = TARGETS[target] ?? { one: 'outcome', many: 'outcomes' };
  const of = `${number(outcomes)} ${outcomes === 1 ? one : many}${target === 'round' ? ` on ${number(maps)} ${maps === 1 ? 'map' : 'maps'}` : ''}`;
  setText(line.querySelector('.about'), `${number(predictions)} ${predictions === 1 ? 'prediction' : 'predictions'} of ${of}`);
  [brier, logLoss, ece].forEach((figure, place) => setText(line.children[place + 1], figure?.toFixed(3) ?? '–'));
}

const number = (n) => new Intl.NumberFormat('en').format(n);
