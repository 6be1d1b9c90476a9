/**
 * The list of matches: a card for each, live ones first.
 * @module match_list
 */

import { currentMap, matches } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { summaryText } from './football_words.js';
import { sendingHelp } from './help.js';
import { oddsBar } from './hero.js';
import { mapName, status, teamName } from './words.js';

const EVERY_MS = 3_000;

/**
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function matchList(onConnection) {
  const grid = h('div', { class: 'matches' });
  const count = h('span', { class: 'quiet' });
  const empty = h('div', { class: 'card waiting', hidden: '' }, h('h2', {}, 'No matches yet'),
    h('p', { class: 'quiet' }, 'This page shows a match as soon as its first event arrives. Send one:'), sendingHelp());
  const node = h('div', {}, h('div', { class: 'page-head' }, h('h1', {}, 'Matches'), count), empty, grid);
  let closed = false;
  const read = async () => {
    if (document.hidden) return;
    const found = await matches().catch(() => null);
    if (closed) return;
    onConnection(found ? 'live' : 'reconnecting');
    if (!found) return;
    empty.hidden = found.length > 0;
    const live = found.filter(({ maps }) => maps.some((map) => map.status === 'live')).length;
    setText(count, found.length > 0 ? `${live} live, ${found.length} in all` : '');
    keyed(grid, found, ({ match }) => match, card, updateCard);
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

function card({ match }) {
  const odds = oddsBar();
  const element = h('article', { class: 'card match' },
    h('a', { class: 'match-main' },
      h('div', { class: 'match-head' }, h('span', { class: 'chip' }), h('span', { class: 'match-id' }, match), h('span', { class: 'match-round' })),
      ...[0, 1].map((team) => h('div', { class: 'match-team', 'data-team': team },
        h('span', { class: 'swatch', 'data-team': team }), h('bdi', { class: 'match-name' }), h('span', { class: 'side' }), h('span', { class: 'match-score' }))),
      odds.node),
    h('nav', { class: 'match-maps', 'aria-label': `Maps of ${match}` }));
  element.updateOdds = odds.update;
  return element;
}

function whereItStands(map, isOn) {
  if (map.game === 'football') return summaryText(map);
  return isOn && map.round > 0 ? `${mapName(map.map_name)} · round ${map.round}` : mapName(map.map_name);
}

function updateCard(element, { match, maps }) {
  const map = currentMap(maps);
  const isOn = map.status === 'live' || map.status === 'paused';
  setAttribute(element, 'data-status', map.status);
  setAttribute(element.querySelector('.match-main'), 'href', `#/${match}/${map.map}`);
  const chip = element.querySelector('.chip');
  setText(chip, status(map.status));
  setAttribute(chip, 'data-status', map.status);
  setText(element.querySelector('.match-round'), whereItStands(map, isOn));
  element.querySelectorAll('.match-team').forEach((line, team) => {
    const [, name, side, score] = line.children;
    const own = map.teams?.[team] ?? {};
    setAttribute(line, 'data-side', own.side);
    setAttribute(line, 'data-won', map.winner === team ? '' : null);
    setText(name, teamName(map, team));
    setText(side, own.side ?? '');
    side.hidden = !isOn || own.side === undefined;
    setText(score, own.score ?? 0);
  });
  element.updateOdds(map);
  const nav = element.querySelector('.match-maps');
  nav.hidden = maps.length < 2;
  keyed(nav, maps, (each) => String(each.map), () => h('a', {}, h('span'), h('strong')), (link, each) => {
    setAttribute(link, 'href', `#/${match}/${each.map}`);
    setAttribute(link, 'data-status', each.status);
    setText(link.firstChild, mapName(each.map_name));
    setText(link.lastChild, each.status === 'scheduled' ? '' : (each.teams ?? []).map((team) => team.score).join(':'));
  });
}
