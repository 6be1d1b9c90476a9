/**
 * The statistics of everyone who played a map or a match: a table that is sorted by any of its columns, as the
 * server folds it from the events. Read anew when a round ends or the past is corrected.
 * @module player_stats
 */

import { h, keyed, setAttribute, setText } from './dom.js';
import { playerName } from './words.js';

const share = (part) => `${Math.round(part * 100)}%`;
const of = (part, all) => `${part}/${all}`;

/** The columns after the name: how each is called, in full, written, and what it is sorted by. */
const COLUMNS = [
  { key: 'kills', head: 'K', title: 'Kills', write: (p) => p.kills },
  { key: 'deaths', head: 'D', title: 'Deaths', write: (p) => p.deaths },
  { key: 'adr', head: 'ADR', title: 'Average damage a round', write: (p) => p.adr.toFixed(1) },
  { key: 'kast', head: 'KAST', title: 'Rounds with a kill, an assist, survival or an avenged death', write: (p) => share(p.kast) },
  { key: 'headshots', head: 'HS%', title: 'Kills with a headshot', write: (p) => (p.kills > 0 ? share(p.headshot_share) : '–'), by: (p) => p.headshot_share },
  { key: 'opening', head: 'Opening', title: 'Opening duels, won and lost', write: (p) => `${p.opening_kills}–${p.opening_deaths}`, by: (p) => p.opening_kills - p.opening_deaths },
  { key: 'clutches', head: 'Clutch', title: 'Clutches, won and played', write: (p) => of(p.clutches_won, p.clutches), by: (p) => p.clutches_won + p.clutches / 1000 },
  { key: 'trades', head: 'Trades', title: 'Teammates avenged', write: (p) => p.trades },
  { key: 'aces', head: 'Ace', title: 'Rounds with five kills or more', write: (p) => p.aces },
  { key: 'multi_kills', head: 'Multi', title: 'Rounds with two kills or more', write: (p) => p.multi_kills },
  { key: 'utility_damage', head: 'Util', title: 'Damage with grenades and fire', write: (p) => p.utility_damage },
  { key: 'flash_assists', head: 'Flash', title: 'Flash assists', write: (p) => p.flash_assists },
];

const valueOf = ({ key, by }, player) => (by ? by(player) : player[key]) ?? 0;

/**
 * @param {() => Promise<Object>} read
 * @returns {{node: HTMLElement, update: (seen: {state: Object, revision: string|number}) => void}} they are
 *   read when the rounds, the status or the revision are others
 */
export function playerStats(read) {
  const view = { players: {}, state: null, sort: 'adr', isDown: true, body: h('tbody') };
  const heads = COLUMNS.map((column) => sortHead(column, view));
  const table = h('table', { class: 'stats' },
    h('caption', { class: 'visually-hidden' }, 'Statistics of every player; the heads of the columns sort it'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'col-name' }, 'Player'), ...heads)), view.body);
  const rounds = h('span', { class: 'quiet' });
  const node = h('section', { class: 'card stats-card', 'aria-label': 'Statistics', hidden: '' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Statistics'), rounds), h('div', { class: 'stats-scroll', tabindex: '0', role: 'group', 'aria-label': 'Statistics, wider than the screen where it is narrow' }, table));
  view.draw = () => draw(view, heads);
  let known;
  return {
    node,
    update({ state, revision }) {
      view.state = state;
      // The statistics of other games are others.
      if (state.game && state.game !== 'cs2') return;
      const now = JSON.stringify([Object.keys(state.rounds ?? {}).length, state.status, state.ruling, revision]);
      if (now === known) return;
      known = now;
      read().then((stats) => {
        if (now !== known) return;
        view.players = stats?.players ?? {};
        node.hidden = Object.keys(view.players).length === 0;
        setText(rounds, stats?.rounds ? `over ${stats.rounds} ${stats.rounds === 1 ? 'round' : 'rounds'}` : '');
        view.draw();
      }, () => {
        // Asked again with the next state.
        known = undefined;
      });
    },
  };
}

function sortHead({ key, head, title }, view) {
  const sort = () => {
    view.isDown = view.sort === key ? !view.isDown : true;
    view.sort = key;
    view.draw();
  };
  return h('th', { scope: 'col', 'data-sort': key }, h('button', { type: 'button', class: 'sort', title, 'aria-label': `${title}: sort`, onclick: sort }, head));
}

function draw(view, heads) {
  const { players, state, sort, isDown, body } = view;
  const column = COLUMNS.find(({ key }) => key === sort);
  const rows = Object.entries(players).map(([id, player]) => ({ id, ...player }));
  rows.sort((a, b) => (valueOf(column, b) - valueOf(column, a)) * (isDown ? 1 : -1) || (a.id < b.id ? -1 : 1));
  for (const head of heads) setAttribute(head, 'aria-sort', head.dataset.sort === sort ? (isDown ? 'descending' : 'ascending') : null);
  keyed(body, rows, ({ id }) => id, row, (element, player) => {
    const [name, ...cells] = element.children;
    setAttribute(name, 'data-team', state.players?.[player.id]?.team);
    setAttribute(name.lastChild, 'href', `#player/${player.id}`);
    setText(name.lastChild.firstChild, player.name ?? playerName(state, player.id));
    COLUMNS.forEach((each, index) => {
      setText(cells[index], each.write(player));
      setAttribute(cells[index], 'data-sorted', each.key === sort ? '' : null);
    });
  });
}

function row() {
  return h('tr', {}, h('th', { scope: 'row', class: 'col-name' }, h('span', { class: 'swatch' }), h('a', { class: 'player-link' }, h('bdi'))), ...COLUMNS.map(() => h('td')));
}
