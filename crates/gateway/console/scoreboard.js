/**
 * The scoreboard of one team: a table with a row for each player.
 * @module scoreboard
 */

import { h, keyed, setAttribute, setText } from './dom.js';
import { roster, roundsPlayed } from './reading.js';
import { money, playerName, teamName } from './words.js';

/** The columns after the name: what it is called, in full, and how it is read. */
const COLUMNS = [
  { key: 'money', head: '$', title: 'Money', read: (player) => money(player.money), wide: true },
  { key: 'equipment', head: 'Equip', title: 'Equipment value', read: (player) => money(player.equipment), wide: true },
  { key: 'kills', head: 'K', title: 'Kills', read: (player) => player.kills },
  { key: 'deaths', head: 'D', title: 'Deaths', read: (player) => player.deaths },
  { key: 'assists', head: 'A', title: 'Assists', read: (player) => player.assists },
  { key: 'balance', head: '+/−', title: 'Kills minus deaths', read: (player) => signed(player.kills - player.deaths) },
  { key: 'headshots', head: 'HS%', title: 'Kills with a headshot', read: headshots, wide: true },
  { key: 'adr', head: 'ADR', title: 'Average damage a round', read: (player, rounds) => average(player.damage, rounds) },
];

const signed = (n) => (n > 0 ? `+${n}` : String(n).replace('-', '−'));

function headshots({ headshots: count, kills }) {
  return kills > 0 ? `${Math.round((count / kills) * 100)}%` : '–';
}

function average(damage, rounds) {
  return rounds > 0 ? (damage / rounds).toFixed(1) : '–';
}

/**
 * @param {number} team
 * @returns {{node: HTMLElement, update: (state: Object) => void}}
 */
export function scoreboard(team) {
  const name = h('bdi');
  const side = h('span', { class: 'side' });
  const bank = h('span', { class: 'board-bank' });
  const body = h('tbody');
  const empty = h('p', { class: 'quiet board-empty' }, 'Nobody has joined yet');
  const table = h('table', { class: 'board' },
    h('caption', {}, h('span', { class: 'swatch', 'data-team': team }), name, side, bank),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'col-name' }, 'Player'),
      ...COLUMNS.map((column) => h('th', { scope: 'col', title: column.title, class: columnClass(column) },
        h('abbr', { title: column.title }, column.head))))),
    body);
  const node = h('section', { class: 'card board-card', 'data-team': team }, table, empty);
  return {
    node,
    update(state) {
      const players = roster(state, team);
      setAttribute(node, 'data-side', state.teams[team].side);
      setAttribute(node, 'aria-label', `Scoreboard of ${teamName(state, team)}`);
      setText(name, teamName(state, team));
      setText(side, state.teams[team].side);
      setText(bank, bankText(players, state));
      empty.hidden = players.length > 0;
      const rounds = roundsPlayed(state);
      keyed(body, players, ({ id }) => id, row, (element, player) => updateRow(element, player, state, rounds));
    },
  };
}

function bankText(players, state) {
  const known = players.filter((player) => player.equipment !== undefined);
  if (known.length === 0 || state.status === 'ended') return '';
  return `Equipment ${money(known.reduce((sum, player) => sum + player.equipment, 0))}`;
}

const columnClass = ({ key, wide }) => `col-${key}${wide ? ' wide' : ''}`;

function row() {
  return h('tr', { class: 'player' },
    h('th', { scope: 'row', class: 'col-name' },
      h('div', { class: 'player-name' }, h('a', { class: 'player-link' }, h('bdi')), h('span', { class: 'away', hidden: '' }, 'away')),
      h('div', { class: 'health', 'aria-hidden': 'true' }, h('i'))),
    ...COLUMNS.map((column) => h('td', { class: columnClass(column) })));
}

function updateRow(element, player, state, rounds) {
  const live = state.status === 'live' || state.status === 'paused';
  const dead = live && state.phase !== 'warm_up' && !player.alive;
  setAttribute(element, 'data-dead', dead ? '' : null);
  setAttribute(element, 'data-away', player.connected || !live ? null : '');
  const [head, ...cells] = element.children;
  const label = playerName(state, player.id);
  setText(head.querySelector('bdi'), label);
  setAttribute(head.querySelector('a'), 'href', `#player/${player.id}`);
  setAttribute(head, 'title', label);
  head.querySelector('.away').hidden = player.connected || !live;
  setAttribute(head, 'aria-label', live ? `${label}, ${player.alive ? `${player.health} health` : 'dead'}` : null);
  const bar = head.querySelector('.health');
  bar.hidden = !live;
  setAttribute(bar, 'data-low', player.alive && player.health <= 25 ? '' : null);
  bar.firstElementChild.style.setProperty('--p', player.alive ? player.health / 100 : 0);
  COLUMNS.forEach((column, index) => setText(cells[index], column.read(player, rounds)));
  const balance = player.kills - player.deaths;
  setAttribute(element.querySelector('.col-balance'), 'data-sign', Math.sign(balance) || null);
}
