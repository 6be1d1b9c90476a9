/**
 * The history of rounds: for each team a strip with a pictogram where it won, by halves; with it what
 * the teams had bought, and who won alone.
 * @module round_history
 */

import { h, keyed, s, setAttribute, setText } from './dom.js';
import { icon, reasonIcon } from './icons.js';
import { halves } from './reading.js';
import { playerName, reason, teamName } from './words.js';

/** What a team's equipment is called, and how many of four bars are full. */
const BUYS = { pistol: ['pistol round', 1], eco: ['eco', 1], semi_eco: ['semi-eco', 2], semi_buy: ['semi-buy', 3], full: ['full buy', 4] };

/**
 * @returns {{node: HTMLElement, update: (state: Object) => void}}
 */
export function roundHistory() {
  const strip = h('div', { class: 'halves', role: 'group', 'aria-label': 'Rounds' });
  const names = [h('bdi'), h('bdi')];
  const legend = h('div', { class: 'halves-teams', 'aria-hidden': 'true' },
    ...names.map((name, team) => h('div', {}, h('span', { class: 'swatch', 'data-team': team }), name)));
  const node = h('section', { class: 'card rounds-card', 'aria-label': 'Round history' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Rounds'), key()), h('div', { class: 'rounds-body' }, legend, strip));
  let drawn;
  return {
    node,
    update(state) {
      names.forEach((name, team) => setText(name, teamName(state, team)));
      // Rounds change once a minute, states many times a second.
      const now = JSON.stringify([state.rounds, state.round, state.status, state.max_rounds]);
      if (now === drawn) return;
      drawn = now;
      setAttribute(node, 'data-has-buys', Object.values(state.rounds ?? {}).some(({ economy }) => economy) ? '' : null);
      keyed(strip, halves(state), ({ label }) => label, half, (element, data) => updateHalf(element, data, state));
    },
  };
}

/** What the marks mean. */
function key() {
  return h('div', { class: 'rounds-key quiet' },
    ...Object.entries(BUYS).map(([name, [words]]) => h('span', { class: 'buy-key' }, buyMark(name), words)),
    h('span', {}, h('span', { class: 'clutch-mark' }, icon('star')), ' clutch won'));
}

/** Four small bars, full as far as the team had bought; a dot for a pistol round. */
function buyMark(buy) {
  const [words, level] = BUYS[buy] ?? [buy, 0];
  const bars = buy === 'pistol'
    ? [s('circle', { cx: 11, cy: 3, r: 2.5, class: 'full' })]
    : [0, 1, 2, 3].map((bar) => s('rect', { x: bar * 5.6 + 0.3, y: 1, width: 4.6, height: 4, rx: 1, class: bar < level ? 'full' : 'empty' }));
  return s('svg', { class: 'buy', viewBox: '0 0 22 6', 'data-buy': buy, 'aria-hidden': 'true' }, s('title', {}, words), ...bars);
}

function half({ label, overtime }) {
  return h('div', { class: 'half', 'data-overtime': overtime ? '' : null },
    h('div', { class: 'half-label' }, label), h('ol', { class: 'half-rounds', 'aria-label': label }));
}

function updateHalf(element, { rounds }, state) {
  const list = element.querySelector('ol');
  list.style.setProperty('--count', rounds.length);
  keyed(list, rounds, String, cell, (item, number) => updateCell(item, number, state));
}

function cell(number) {
  return h('li', { class: 'round' },
    h('span', { class: 'bought', 'data-team': 0 }), h('span', { class: 'won', 'data-team': 0 }), h('span', { class: 'round-number' }, number),
    h('span', { class: 'won', 'data-team': 1 }), h('span', { class: 'bought', 'data-team': 1 }));
}

function updateCell(item, number, state) {
  const result = state.rounds?.[number];
  const open = state.status === 'live' || state.status === 'paused';
  setAttribute(item, 'data-round', result ? number : null);
  setAttribute(item, 'data-current', !result && open && state.round === number ? '' : null);
  const said = result ? JSON.stringify([result, teamName(state, result.winner)]) : '';
  if (item.dataset.said === said) return;
  item.dataset.said = said;
  const text = result ? roundWords(number, result, state) : `Round ${number}: not played`;
  setAttribute(item, 'aria-label', text);
  setAttribute(item, 'title', text);
  const clutch = result?.clutches?.some(({ won }) => won);
  for (const won of item.querySelectorAll('.won')) {
    const isWinner = result && result.winner === Number(won.dataset.team);
    setAttribute(won, 'data-side', isWinner ? result.side : null);
    won.replaceChildren(...(isWinner ? [reasonIcon(result.reason), ...(clutch ? [h('span', { class: 'clutch-mark' }, icon('star'))] : [])] : []));
  }
  for (const bought of item.querySelectorAll('.bought')) {
    const buy = result?.economy?.[Number(bought.dataset.team)]?.buy;
    bought.replaceChildren(...(buy ? [buyMark(buy)] : []));
  }
}

/** A round in words: who won it and how, what was bought, who was alone. */
function roundWords(number, result, state) {
  const lines = [`Round ${number}: ${teamName(state, result.winner)} (${result.side}), ${reason(result.reason)}, ${result.score?.join(':') ?? ''}`];
  if (result.economy) lines.push([0, 1].map((team) => `${teamName(state, team)}: ${(BUYS[result.economy[team].buy] ?? [result.economy[team].buy])[0]}, $${result.economy[team].equipment.toLocaleString('en-US')}`).join('; '));
  for (const { player, against, won } of result.clutches ?? []) lines.push(`${playerName(state, player)} ${won ? 'wins' : 'loses'} 1v${against}`);
  return lines.join('\n');
}
