/**
 * The list of matches: a card for each, those that are played first, then the upcoming ones by their
 * start, then those that are over.
 * @module match_list
 */

import { currentMap, matches } from './api.js';
import { whyNot } from './commands.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { summaryText } from './football_words.js';
import { sendingHelp } from './help.js';
import { oddsBar } from './hero.js';
import { askSchedule } from './schedule_dialog.js';
import { GROUPS, eventWords, groupOf, hasSeriesScore, isSwapped, scoreInOrder, startWords, winnerOf } from './series.js';
import { mapName, rulingWords, status, teamName } from './words.js';

const EVERY_MS = 3_000;

/**
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function matchList(onConnection) {
  const groups = Object.keys(GROUPS).map(group);
  const count = h('span', { class: 'quiet' });
  const schedule = h('button', { type: 'button', class: 'button', hidden: '', onclick: () => askSchedule((match) => { location.hash = `#/${match}/series`; }) }, 'Schedule a match …');
  const empty = h('div', { class: 'card waiting', hidden: '' }, h('h2', {}, 'No matches yet'),
    h('p', { class: 'quiet' }, 'This page shows a match as soon as its first event arrives. Send one:'), sendingHelp());
  const node = h('div', {}, h('div', { class: 'page-head' }, h('h1', {}, 'Matches'), count, h('div', { class: 'page-tools' }, schedule)), empty, ...groups.map((each) => each.node));
  let closed = false;
  const read = async () => {
    if (document.hidden) return;
    const found = await matches().catch(() => null);
    if (closed) return;
    onConnection(found ? 'live' : 'reconnecting');
    if (!found) return;
    const shown = found.filter(({ maps, series }) => maps.length > 0 || series);
    empty.hidden = shown.length > 0;
    for (const each of groups) each.update(shown);
    const live = shown.filter((match) => groupOf(match) === 'live').length;
    setText(count, shown.length > 0 ? `${live} live, ${shown.length} in all` : '');
  };
  onConnection('connecting');
  read();
  whyNot().then((why) => {
    schedule.hidden = why !== null;
  });
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

/** Upcoming ones by their start, those without one last; the others as they come, by name. */
const ORDERS = { upcoming: (a, b) => startOf(a) - startOf(b) };
const startOf = ({ series }) => (series?.starts ? Date.parse(series.starts) : Number.MAX_SAFE_INTEGER);

function group(name) {
  const grid = h('div', { class: 'matches' });
  const node = h('section', { class: 'match-group', hidden: '', 'data-group': name, 'aria-label': GROUPS[name] }, h('h2', {}, GROUPS[name]), grid);
  return {
    node,
    update(found) {
      const own = found.filter((match) => groupOf(match) === name);
      if (ORDERS[name]) own.sort(ORDERS[name]);
      node.hidden = own.length === 0;
      keyed(grid, own, ({ match }) => match, card, updateCard);
    },
  };
}

function card({ match }) {
  const odds = oddsBar();
  const element = h('article', { class: 'card match' },
    h('a', { class: 'match-main' },
      h('div', { class: 'match-head' }, h('span', { class: 'chip' }), h('span', { class: 'match-id' }, match), h('span', { class: 'match-round' })),
      ...[0, 1].map((team) => h('div', { class: 'match-team', 'data-team': team },
        h('span', { class: 'swatch', 'data-team': team }), h('bdi', { class: 'match-name' }), h('span', { class: 'side' }), h('span', { class: 'match-won', title: 'Maps won' }), h('span', { class: 'match-score' }))),
      h('div', { class: 'match-foot' }), odds.node),
    h('nav', { class: 'match-maps', 'aria-label': `Maps of ${match}` }));
  element.updateOdds = odds.update;
  return element;
}

/** A map as the card needs it that has begun; else the match as it is set. */
function shownOf(found) {
  const map = currentMap(found.maps);
  return map && map.status !== 'scheduled' ? map : null;
}

function updateCard(element, found) {
  const { match, series, standing } = found;
  const map = shownOf(found);
  const is = groupOf(found) === 'finished' ? 'ended' : map?.status ?? standing?.status ?? 'scheduled';
  setAttribute(element, 'data-status', is);
  setAttribute(element.querySelector('.match-main'), 'href', `#/${match}/${map?.map ?? (found.maps.length > 0 ? currentMap(found.maps).map : 'series')}`);
  const chip = element.querySelector('.chip');
  const [ruling] = rulingWords(series?.ruling);
  setText(chip, ruling ?? status(is));
  setAttribute(chip, 'data-status', ruling ? 'ruling' : is);
  const isWhole = is === 'ended' && hasSeriesScore(found);
  const head = [series?.best_of && `Bo${series.best_of}`, map ? !isWhole && mapWords(map) : startWords(series?.starts)].filter(Boolean);
  setText(element.querySelector('.match-round'), head.join(' · '));
  setText(element.querySelector('.match-foot'), eventWords(series));
  element.querySelectorAll('.match-team').forEach((line, team) => updateTeam(line, team, found, map));
  const odds = map && standing?.odds && hasSeriesScore(found) ? standing.odds : null;
  const teams = standing?.teams ?? map?.teams;
  element.updateOdds({ status: is, teams, prediction: odds ? { map: odds } : map && inOrder(found, map) }, odds ? 'match' : 'map');
  updateMaps(element.querySelector('.match-maps'), found);
}

/** The prediction of a map, in the order of the match's teams. */
function inOrder({ standing }, { prediction, ...map }) {
  if (!prediction?.map || !isSwapped(standing, map)) return prediction;
  return { ...prediction, map: [prediction.map[1], prediction.map[0]] };
}

function mapWords(map) {
  if (map.game === 'football') return summaryText(map);
  if (map.round > 0 && map.status !== 'ended') return `${mapName(map.map_name)} · round ${map.round}`;
  return map.map_name ? mapName(map.map_name) : '';
}

function updateTeam(line, team, found, map) {
  const { standing } = found;
  const [, name, side, won, score] = line.children;
  const own = map && isSwapped(standing, map) ? 1 - team : team;
  const isOn = map?.status === 'live' || map?.status === 'paused';
  setAttribute(line, 'data-side', map?.teams?.[own]?.side);
  setAttribute(line, 'data-won', groupOf(found) === 'finished' && winnerOf(found) === team ? '' : null);
  setText(name, standing?.teams?.[team]?.name ? teamName(standing, team) : teamName(map ?? {}, own));
  setText(side, map?.teams?.[own]?.side ?? '');
  side.hidden = !isOn || !map?.teams?.[own]?.side;
  // While it is played one looks at the map; before that there is no score, and after it the match counts.
  const isOver = groupOf(found) === 'finished' && hasSeriesScore(found);
  won.hidden = isOver || !map || !hasSeriesScore(found);
  setText(won, standing?.score?.[team] ?? '');
  setText(score, isOver ? standing.score[team] : map ? map.teams?.[own]?.score ?? 0 : '');
}

function updateMaps(nav, { match, maps, standing }) {
  nav.hidden = maps.length < 2;
  keyed(nav, maps, (each) => String(each.map), () => h('a', {}, h('span'), h('strong')), (link, each) => {
    setAttribute(link, 'href', `#/${match}/${each.map}`);
    setAttribute(link, 'data-status', each.status);
    setText(link.firstChild, each.map_name ? mapName(each.map_name) : `Map ${each.map}`);
    setText(link.lastChild, each.status === 'scheduled' ? '' : scoreInOrder(standing, each).join(':'));
  });
}
