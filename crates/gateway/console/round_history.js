/**
 * The history of rounds: for each team a strip with a pictogram where it won, by halves.
 * @module round_history
 */

import { h, keyed, setAttribute, setText } from './dom.js';
import { reasonIcon } from './icons.js';
import { halves } from './reading.js';
import { reason, teamName } from './words.js';

/**
 * @returns {{node: HTMLElement, update: (state: Object) => void}}
 */
export function roundHistory() {
  const strip = h('div', { class: 'halves', role: 'group', 'aria-label': 'Rounds' });
  const names = [h('bdi'), h('bdi')];
  const legend = h('div', { class: 'halves-teams', 'aria-hidden': 'true' },
    ...names.map((name, team) => h('div', {}, h('span', { class: 'swatch', 'data-team': team }), name)));
  const node = h('section', { class: 'card rounds-card', 'aria-label': 'Round history' },
    h('h2', {}, 'Rounds'), h('div', { class: 'rounds-body' }, legend, strip));
  let drawn;
  return {
    node,
    update(state) {
      names.forEach((name, team) => setText(name, teamName(state, team)));
      // Rounds change once a minute, states many times a second.
      const now = JSON.stringify([state.rounds, state.round, state.status, state.max_rounds]);
      if (now === drawn) return;
      drawn = now;
      keyed(strip, halves(state), ({ label }) => label, half, (element, data) => updateHalf(element, data, state));
    },
  };
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
    h('span', { class: 'won', 'data-team': 0 }), h('span', { class: 'round-number' }, number), h('span', { class: 'won', 'data-team': 1 }));
}

function updateCell(item, number, state) {
  const result = state.rounds?.[number];
  const open = state.status === 'live' || state.status === 'paused';
  setAttribute(item, 'data-round', result ? number : null);
  setAttribute(item, 'data-current', !result && open && state.round === number ? '' : null);
  const said = result ? `${result.reason}/${result.side}/${result.winner}` : '';
  if (item.dataset.said === said) return;
  item.dataset.said = said;
  const text = result
    ? `Round ${number}: ${teamName(state, result.winner)} (${result.side}), ${reason(result.reason)}, ${result.score?.join(':') ?? ''}`
    : `Round ${number}: not played`;
  setAttribute(item, 'aria-label', text);
  setAttribute(item, 'title', text);
  for (const won of item.querySelectorAll('.won')) {
    const isWinner = result && result.winner === Number(won.dataset.team);
    setAttribute(won, 'data-side', isWinner ? result.side : null);
    won.replaceChildren(...(isWinner ? [reasonIcon(result.reason)] : []));
  }
}
