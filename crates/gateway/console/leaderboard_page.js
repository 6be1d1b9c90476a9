/**
 * Who is first in a game: by matches won or by rating, among all or among friends, from the top or around a player.
 * @module leaderboard_page
 */

import { leaderboard, matches } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { SYSTEMS, counted, gameName, points, refusal } from './player_words.js';
import { isPerson } from './viewer.js';
import { onViewer } from './viewer_button.js';

const ORDERS = { won: 'Matches won', ...SYSTEMS };
const FORMATS = { both: 'All matches', solo: 'One against one', team: 'In teams' };
const AMONG = { all: 'Everybody', friends: 'My friends' };
const PAGE = 50;
const EVERY_MS = 15_000;

/**
 * @param {string|undefined} game
 * @param {URLSearchParams} asked what else the address says
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function leaderboardPage(game, asked, onConnection) {
  const choose = (label, options, name) => {
    const select = h('select', { class: 'select', 'aria-label': label, name }, ...Object.entries(options).map(([value, text]) => h('option', { value }, text)));
    if (asked.get(name) in options) select.value = asked.get(name);
    return select;
  };
  const games = h('select', { class: 'select', 'aria-label': 'Game', name: 'game' }, h('option', { value: game ?? 'cs2' }, gameName(game ?? 'cs2')));
  const by = choose('Ordered by', ORDERS, 'by');
  const format = choose('Which matches', FORMATS, 'format');
  const among = choose('Among whom', AMONG, 'among');
  const text = (label, name, hint) => h('label', { class: 'board-field' }, h('span', {}, label), h('input', { name, value: asked.get(name) ?? '', placeholder: hint, maxlength: 64, autocapitalize: 'none', spellcheck: 'false' }));
  const season = text('Season', 'season', 'every season');
  const around = text('Around', 'around', 'a player’s id');
  const form = h('form', { class: 'card board-controls', 'aria-label': 'Which leaderboard' }, games, by, format, among, season, around);
  const list = h('ol', { class: 'ranks' });
  const note = h('p', { class: 'quiet board-note', role: 'status' });
  const denied = h('div');
  const more = h('button', { type: 'button', class: 'button', hidden: '' }, 'Show more');
  const card = h('section', { class: 'card ranks-card', 'aria-label': 'Leaderboard' }, denied, list, note, more);
  const node = h('div', { class: 'leaderboard' }, h('div', { class: 'page-head' }, h('h1', {}, 'Leaderboard')), form, card);
  const view = { players: [], next: undefined, asked: 0, isClosed: false };
  document.title = 'Leaderboard · Matchwire';

  /** What the form asks for; what cannot be asked for together is left out. */
  const query = () => {
    const isWon = by.value === 'won';
    const isAll = among.value === 'all';
    return {
      by: isWon ? undefined : by.value, among: isAll ? undefined : among.value, format: isWon && format.value !== 'both' ? format.value : undefined,
      season: isWon ? season.lastChild.value.trim() : undefined, around: isAll ? around.lastChild.value.trim() : undefined,
    };
  };

  async function read(isFirst) {
    view.asked += 1;
    const [turn, wanted, chosen] = [view.asked, query(), games.value];
    season.hidden = format.hidden = by.value !== 'won';
    around.hidden = among.value !== 'all';
    more.disabled = true;
    try {
      const body = await leaderboard(chosen, { ...wanted, limit: PAGE, after: isFirst ? undefined : view.next });
      if (turn !== view.asked || view.isClosed) return;
      onConnection('live');
      view.players = isFirst ? body.players : [...view.players, ...body.players];
      view.next = body.next;
      denied.replaceChildren();
      show(list, view.players, wanted);
      setText(note, noteOf(body, view.players, wanted, gameName(chosen)));
      more.hidden = body.next === undefined;
    } catch (error) {
      if (turn !== view.asked || view.isClosed) return;
      onConnection(error.status ? 'live' : 'reconnecting');
      if (!error.status) return;
      list.replaceChildren();
      setText(note, '');
      more.hidden = true;
      denied.replaceChildren(refusal(error, wanted.around ? `The place of ${wanted.around}` : 'This leaderboard'));
    } finally {
      more.disabled = false;
    }
  }

  /** The address says what is shown, so that it can be sent to somebody. */
  function changed() {
    const parts = new URLSearchParams(Object.entries(query()).filter(([, value]) => value));
    history.replaceState(null, '', `#leaderboard/${games.value}${parts.size > 0 ? `?${parts}` : ''}`);
    read(true);
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', changed);
  more.addEventListener('click', () => read(false));
  onConnection('connecting');
  read(true);
  gamesOf(game).then((all) => {
    const chosen = games.value;
    keyed(games, all, (one) => one, (one) => h('option', { value: one }, gameName(one)));
    games.value = chosen;
  });
  const forget = onViewer(() => read(true));
  const timer = setInterval(() => document.hidden || view.players.length > PAGE || read(true), EVERY_MS);
  return {
    node,
    close() {
      view.isClosed = true;
      clearInterval(timer);
      forget();
    },
  };
}

/** The games of the matches that there are. */
async function gamesOf(game) {
  const all = await matches().catch(() => []);
  const of = all.flatMap(({ maps, series }) => [series?.game, ...maps.map((map) => map.game)]);
  return [...new Set([game ?? 'cs2', ...of, 'cs2', 'football'].filter(Boolean))];
}

function noteOf({ folding }, players, { by, around, among }, game) {
  if (folding) return 'A correction is being counted in; places may change in a moment.';
  if (players.length > 0) {
    const order = by ? `Ordered by what a rating is at least, less ${by === 'openskill' ? 'three' : 'two'} deviations, so that few matches do not lead.` : '';
    return [order, players.some(({ player }) => !player) ? 'Who does not let others see their statistics has a place and no name.' : ''].filter(Boolean).join(' ');
  }
  if (around) return `${around} has no place here yet.`;
  if (among) return isPerson() ? 'Neither you nor a friend whose statistics you may see has a place here yet.' : '';
  return `Nobody has won anything in ${game} yet.`;
}

/** What somebody's place is for: a number, and how much that is of the first one's. */
function scoreOf(one, by) {
  if (!by) return { text: counted(one.won, 'win', 'wins'), number: one.won };
  return { text: points(by, one.floor), title: `${points(by, one.rating)} ± ${points(by, one.deviation)}`, number: one.floor };
}

function show(list, players, { by, around }) {
  const numbers = players.map((one) => scoreOf(one, by).number);
  const [most, least] = [Math.max(...numbers), by ? Math.min(...numbers) : 0];
  const rows = players.map((one, index) => ({ ...one, index }));
  keyed(list, rows, ({ player, index }) => player ?? `#${index}`, ({ player }) => h('li', { class: 'rank' },
    h('span', { class: 'rank-place' }), player ? h('a', { class: 'rank-name', href: `#player/${player}` }, h('bdi', {}, player)) : h('span', { class: 'rank-name quiet' }, 'not shown'),
    h('span', { class: 'rank-bar', 'aria-hidden': 'true' }, h('i')), h('span', { class: 'rank-more quiet' }), h('strong', { class: 'rank-score' })),
  (item, one) => {
    const [place, , bar, extra, score] = item.children;
    const { text, title, number } = scoreOf(one, by);
    setText(place, one.place);
    setAttribute(item, 'data-place', one.place <= 3 ? one.place : null);
    setAttribute(item, 'aria-current', around && one.player === around ? 'true' : null);
    // By ratings the last one shown has a bar, too: noughts of ratings mean nothing.
    bar.firstChild.style.setProperty('--p', most > least ? 0.06 + 0.94 * ((number - least) / (most - least)) : 1);
    setText(extra, title ?? '');
    setText(score, text);
  });
}
