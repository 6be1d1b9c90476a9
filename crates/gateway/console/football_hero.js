/**
 * The head of a football match's page: teams, score, clock, who is likely to win.
 * @module football_hero
 */

import { h, setAttribute, setText } from './dom.js';
import { clockText, kicksText, minuteText, plays, result, stage } from './football_words.js';
import { oddsBar, showChips } from './hero.js';
import { playerName, teamName } from './words.js';

/**
 * @returns {{node: HTMLElement, update: (model: import('./map_model.js').MapModel) => void, tick: (model: Object) => void}}
 */
export function footballHero() {
  const teams = [team(0), team(1)];
  const line = h('span', { class: 'hero-chips' });
  const period = h('span', { class: 'hero-round' });
  const time = h('div', { class: 'hero-time', role: 'timer', 'aria-live': 'off' });
  const doing = h('div', { class: 'hero-phase' });
  const title = h('h1', { class: 'visually-hidden' });
  const odds = oddsBar();
  const node = h('section', { class: 'hero card', 'aria-label': 'Score' }, title,
    h('div', { class: 'hero-grid' }, teams[0].node,
      h('div', { class: 'hero-centre' }, h('div', { class: 'hero-line' }, line, period), time, doing),
      teams[1].node),
    odds.node);
  const tick = (model) => model.state && setText(time, clockText(model.state, model.clock.now()));
  return {
    node,
    tick,
    update(model) {
      const { state } = model;
      teams.forEach((view, index) => view.update(state, index));
      showChips(line, state);
      setText(period, state.status === 'ended' ? '' : stage(state));
      setText(doing, state.status === 'ended' ? result(state) : kicksText(state));
      setText(title, `${teamName(state, 0)} ${state.teams[0].score} to ${state.teams[1].score} ${teamName(state, 1)}`);
      odds.update(state);
      tick(model);
    },
  };
}

function team(index) {
  const name = h('bdi', { class: 'hero-name', 'data-team-name': index });
  const scorers = h('div', { class: 'hero-sub scorers' });
  const score = h('div', { class: 'hero-score', 'data-score': index });
  const node = h('div', { class: 'hero-team', 'data-team': index }, h('div', { class: 'hero-who' }, name, scorers), score);
  return {
    node,
    update(state) {
      setAttribute(node, 'data-won', state.winner === index ? '' : null);
      setAttribute(node, 'data-lost', state.winner === 1 - index ? '' : null);
      setText(name, teamName(state, index));
      setAttribute(name, 'title', teamName(state, index));
      setText(score, state.teams[index].score);
      setText(scorers, scorersText(state, index));
    },
  };
}

/** Who scored for a team, by name, with the minutes. */
function scorersText(state, index) {
  const by = new Map();
  for (const goal of plays(state).reverse()) {
    if (goal.kind !== 'goal' || goal.team !== index || goal.scorer === undefined) continue;
    const marks = [minuteText(goal), goal.penalty && '(pen)', goal.own_goal && '(og)'].filter(Boolean).join(' ');
    by.set(goal.scorer, [...(by.get(goal.scorer) ?? []), marks]);
  }
  return [...by].map(([id, minutes]) => `${playerName(state, id)} ${minutes.join(', ')}`).join(' · ');
}
