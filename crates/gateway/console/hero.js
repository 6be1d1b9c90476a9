/**
 * The head of a map's page: teams, sides, score, clock, who is alive, who is likely to win.
 * @module hero
 */

import { remaining } from './clock.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { icon } from './icons.js';
import { aliveOf, roster } from './reading.js';
import { chips, clock, mapName, percent, phase, resultWords, teamName } from './words.js';

/**
 * @returns {{node: HTMLElement, update: (model: import('./map_model.js').MapModel) => void, tick: (model: Object) => void}}
 */
export function hero() {
  const teams = [team(0), team(1)];
  const line = h('span', { class: 'hero-chips' });
  const map = h('span', { class: 'hero-map' });
  const round = h('span', { class: 'hero-round' });
  const time = h('div', { class: 'hero-time', role: 'timer', 'aria-live': 'off' });
  const doing = h('div', { class: 'hero-phase' });
  const title = h('h1', { class: 'visually-hidden' });
  const odds = oddsBar();
  const node = h('section', { class: 'hero card', 'aria-label': 'Score' }, title,
    h('div', { class: 'hero-grid' }, teams[0].node,
      h('div', { class: 'hero-centre' }, h('div', { class: 'hero-line' }, line, map, round), time, doing),
      teams[1].node),
    odds.node);

  const tick = (model) => {
    const left = model.state && remaining(model.state, model.clock.now());
    setAttribute(time, 'data-kind', left?.kind);
    setAttribute(time, 'data-late', left && left.seconds <= 10 ? '' : null);
    setAttribute(time, 'aria-label', left ? `${left.kind === 'bomb' ? 'Bomb' : 'Round'} clock` : null);
    const shown = left ? clock(left.seconds) : '';
    if (time.dataset.shown === shown) return;
    time.dataset.shown = shown;
    time.replaceChildren(...(left?.kind === 'bomb' ? [icon('bomb')] : []), shown);
  };

  return {
    node,
    tick,
    update(model) {
      const { state } = model;
      teams.forEach((view, index) => view.update(state, index));
      showChips(line, state);
      setText(map, mapName(state.map_name));
      setText(round, state.round > 0 ? roundText(state) : '');
      setText(doing, doingText(state));
      setAttribute(doing, 'data-bomb', state.bomb === 'planted' && state.phase === 'round' ? '' : null);
      setText(title, `${teamName(state, 0)} ${state.teams[0].score} to ${state.teams[1].score} ${teamName(state, 1)}, ${mapName(state.map_name)}`);
      odds.update(state);
      tick(model);
    },
  };
}

/**
 * What stands beside the score, as chips.
 * @param {Element} element
 * @param {Object} state of a map or a match
 */
export function showChips(element, state) {
  keyed(element, chips(state), ({ text, title }) => `${text}/${title ?? ''}`, ({ text, status, title }) => h('span', { class: 'chip', 'data-status': status, title }, text));
}

function roundText({ round, max_rounds: regulation }) {
  return round > regulation ? `Round ${round} · OT ${Math.ceil((round - regulation) / 6)}` : `Round ${round}/${regulation}`;
}

function doingText(state) {
  if (state.status === 'ended') return resultWords(state, 'map');
  const isOn = state.status === 'live' && state.phase === 'round';
  const versus = isOn ? [0, 1].map((index) => aliveOf(state, index)).join(' v ') : '';
  return [phase(state), versus].filter(Boolean).join(' · ');
}

function team(index) {
  const name = h('bdi', { class: 'hero-name', 'data-team-name': index });
  const side = h('span', { class: 'side' });
  const alive = h('span', { class: 'pips' });
  const score = h('div', { class: 'hero-score', 'data-score': index });
  const node = h('div', { class: 'hero-team', 'data-team': index },
    h('div', { class: 'hero-who' }, name, h('div', { class: 'hero-sub' }, side, alive)), score);
  return {
    node,
    update(state) {
      const own = state.teams[index];
      setAttribute(node, 'data-side', own.side);
      setAttribute(node, 'data-won', state.winner === index ? '' : null);
      setAttribute(node, 'data-lost', state.winner === 1 - index ? '' : null);
      setText(name, teamName(state, index));
      setAttribute(name, 'title', teamName(state, index));
      setText(side, own.side);
      setText(score, own.score);
      alivePips(alive, state, index);
    },
  };
}

/**
 * A dot for each player of a team, full while alive. Empty while no round is on.
 * @param {Element} element
 * @param {Object} state
 * @param {number} index
 */
export function alivePips(element, state, index) {
  const shown = state.status === 'live' && state.phase !== 'warm_up';
  const players = shown ? roster(state, index).filter((player) => player.connected || player.alive) : [];
  const alive = aliveOf(state, index);
  const dots = Array.from({ length: Math.min(players.length, 8) }, (_, i) => ({ key: String(i), on: i < alive }));
  keyed(element, dots, ({ key }) => key, () => h('i', { class: 'pip' }), (dot, { on }) => setAttribute(dot, 'data-on', on ? '' : null));
  setAttribute(element, 'role', players.length > 0 ? 'img' : null);
  setAttribute(element, 'aria-label', players.length > 0 ? `${alive} of ${players.length} alive` : null);
}

/**
 * The bar of who is likely to win the map, or the match, as long as that is open.
 * @returns {{node: HTMLElement, update: (state: Object, what?: 'map'|'match') => void}}
 */
export function oddsBar() {
  const fill = h('div', { class: 'odds-fill' });
  const draw = h('div', { class: 'odds-draw', hidden: '' });
  const drawValue = h('span', { class: 'odds-draw-value', hidden: '' });
  const values = [h('span', { 'data-team': 0 }), h('span', { 'data-team': 1 })];
  const track = h('div', { class: 'odds-track', role: 'img' }, fill, draw);
  const stale = h('span', { class: 'odds-draw-value', hidden: '', title: 'Play has gone on, and the model cannot be asked' }, 'not up to date');
  const node = h('div', { class: 'odds' }, values[0], track, drawValue, stale, values[1]);
  return {
    node,
    update(state, what = 'map') {
      const map = state.status === 'ended' ? undefined : state.prediction?.map;
      node.hidden = !map;
      if (!map) return;
      fill.style.setProperty('--p', map[0]);
      values.forEach((value, index) => setText(value, percent(map[index])));
      stale.hidden = !state.prediction.stale;
      const drawn = state.prediction.draw;
      draw.hidden = drawn === undefined;
      drawValue.hidden = draw.hidden;
      if (!draw.hidden) {
        draw.style.setProperty('--p', drawn);
        setText(drawValue, `draw ${percent(drawn)}`);
      }
      const even = draw.hidden ? '' : `, draw ${percent(drawn)}`;
      setAttribute(track, 'aria-label', `Chance to win the ${what}: ${teamName(state, 0)} ${percent(map[0])}${even}, ${teamName(state, 1)} ${percent(map[1])}${stale.hidden ? '' : ', not up to date'}`);
    },
  };
}
