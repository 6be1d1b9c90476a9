/**
 * A player's page: record, form, rating over time, head to head and what the player has done, each as far as whoever looks may
 * see it.
 * @module player_page
 */

import { Failure, matches, opponents, ratings, statistics, activity, wholeMatch } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { lastResults, playerFeed } from './player_feed.js';
import { SYSTEMS, counted, day, featWords, gameName, points, refusal } from './player_words.js';
import { ratingChart } from './rating_chart.js';
import { onViewer } from './viewer_button.js';
import { percent } from './words.js';

const FORM = 10;
const RIVALS = 8;
const FORMATS = { both: 'All matches', solo: 'One against one', team: 'In teams' };
const RESULT_WORDS = { W: 'Won', L: 'Lost', D: 'Drew' };
/** The page is read anew so often, while nobody has turned its pages. */
const EVERY_MS = 15_000;

/**
 * @param {string} player
 * @param {URLSearchParams} asked `game`, which is found out if it is not told
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function playerPage(player, asked, onConnection) {
  const name = h('bdi', {}, player);
  const id = h('span', { class: 'chip small', hidden: '' }, player);
  const game = h('select', { class: 'select', 'aria-label': 'Game' });
  const format = h('select', { class: 'select', 'aria-label': 'Which matches' }, ...Object.entries(FORMATS).map(([value, text]) => h('option', { value }, text)));
  const board = h('a', { class: 'button' }, 'Leaderboard');
  const [record, rating, rivals, feed] = [recordCard(), ratingCard(), rivalsCard(), playerFeed()];
  const closed = h('div', { class: 'card waiting', hidden: '' });
  const parts = h('div', { class: 'player-page', hidden: '' }, record.node, rating.node, rivals.node, feed.node);
  const node = h('div', {}, h('div', { class: 'page-head player-head' }, h('h1', {}, name), id, h('div', { class: 'page-tools' }, game, format, board)), closed, parts);
  document.title = `${player} · Matchwire`;
  let isClosed = false;

  async function read(isAnew) {
    const chosen = game.value;
    setAttribute(board, 'href', `#leaderboard/${chosen}?around=${player}`);
    const all = await Promise.allSettled([
      statistics(player, { game: chosen, format: format.value }), lastResults(player, chosen, FORM), rating.read(player, chosen),
      opponents(player, { game: chosen, limit: RIVALS }), isAnew ? feed.show(player, chosen) : null,
    ]);
    if (isClosed || chosen !== game.value) return;
    const [told, form, rated, met] = all;
    onConnection(all.some(({ reason }) => reason && !(reason instanceof Failure)) ? 'reconnecting' : 'live');
    const isHidden = told.status === 'rejected' && form.status === 'rejected';
    closed.hidden = !isHidden;
    parts.hidden = isHidden;
    if (isHidden) {
      closed.replaceChildren(refusal(told.reason, `Everything about ${player}`, true));
      return;
    }
    record.update(told, form);
    rating.update(rated);
    rivals.update(player, met);
  }

  async function open() {
    const games = await gamesOf(player, asked.get('game'));
    if (isClosed) return;
    keyed(game, games, (one) => one, (one) => h('option', { value: one }, gameName(one)));
    if (asked.get('game')) game.value = asked.get('game');
    await read(true);
    const known = await nameOf(player);
    if (isClosed || !known) return;
    setText(name, known);
    id.hidden = false;
    document.title = `${known} · Matchwire`;
  }

  onConnection('connecting');
  open();
  game.addEventListener('change', () => read(true));
  format.addEventListener('change', () => read(false));
  const forget = onViewer(() => read(true));
  const timer = setInterval(() => document.hidden || read(false), EVERY_MS);
  return {
    node,
    close() {
      isClosed = true;
      clearInterval(timer);
      rating.close();
      forget();
    },
  };
}

/** The games that the player may have played: that of the last activity first, then those of all matches. */
async function gamesOf(player, asked) {
  const last = await activity(player, { limit: 50 }).then(({ activities }) => activities.map((one) => one.game).filter(Boolean), () => []);
  const of = await matches().then((all) => all.flatMap(({ maps, series }) => [series?.game, ...maps.map((map) => map.game)]).filter(Boolean), () => []);
  return [...new Set([...(asked ? [asked] : []), ...last, ...of, 'cs2'])];
}

/** What the player is called in the last match, if that is told. */
async function nameOf(player) {
  const { activities } = await activity(player, { limit: 50 }).catch(() => ({ activities: [] }));
  const last = activities.find(({ source_model: model, is_private: isPrivate }) => model === 'match' && !isPrivate);
  if (!last) return undefined;
  const found = await wholeMatch(last.source_id).catch(() => ({}));
  const lined = (found.series?.teams ?? found.teams ?? []).map((team) => team?.players?.[player]?.name);
  const played = Object.values(found.maps ?? {}).map((map) => map?.players?.[player]?.name);
  return [...played, ...lined].find((known) => known?.trim());
}

/** Puts what came of asking into a card: what it is, or why it is not to be seen. */
function either(body, denied, told, what) {
  const isDenied = told.status === 'rejected';
  body.hidden = isDenied;
  denied.replaceChildren(...(isDenied ? [refusal(told.reason, what)] : []));
  return !isDenied;
}

function recordCard() {
  const counts = Object.fromEntries(['won', 'lost', 'drawn'].map((key) => [key, h('strong')]));
  const rate = h('div', { class: 'record-rate' });
  const bar = h('div', { class: 'record-bar', 'aria-hidden': 'true' }, h('i', { 'data-result': 'W' }), h('i', { 'data-result': 'D' }), h('i', { 'data-result': 'L' }));
  const form = h('ol', { class: 'form', 'aria-label': 'The last results, the newest last' });
  const formNote = h('span', { class: 'quiet' });
  const details = h('dl', { class: 'record-details' });
  const denied = h('div');
  const body = h('div', { class: 'record-body' },
    h('div', { class: 'record-counts' }, ...[['won', 'Won'], ['drawn', 'Drawn'], ['lost', 'Lost']].map(([key, text]) => h('div', { 'data-count': key }, counts[key], h('span', { class: 'quiet' }, text))), rate),
    bar, details);
  const node = h('section', { class: 'card player-card record-card', 'aria-label': 'Record' }, h('h2', {}, 'Record'), denied, body,
    h('div', { class: 'form-line' }, h('h3', {}, 'Form'), form, formNote));
  return {
    node,
    update(told, results) {
      showForm(form, formNote, results);
      if (!either(body, denied, told, 'What is counted of a player')) return;
      const { won, lost, drawn, win_rate: share } = told.value;
      for (const [key, count] of Object.entries({ won, lost, drawn })) setText(counts[key], count);
      setText(rate, share === undefined ? 'No result yet' : `${percent(share)} won`);
      const all = Math.max(1, won + lost + drawn);
      [won, drawn, lost].forEach((count, index) => bar.children[index].style.setProperty('--p', count / all));
      bar.hidden = won + lost + drawn === 0;
      const rows = detailsOf(told.value);
      keyed(details, rows, ([key]) => key, ([key]) => h('div', {}, h('dt', {}, key), h('dd')), (line, [, value]) => setText(line.lastChild, value));
    },
  };
}

function showForm(form, note, results) {
  const list = results.status === 'fulfilled' ? results.value : [];
  setText(note, results.status === 'rejected' ? 'Only the player sees single results.' : list.length === 0 ? 'No result yet.' : '');
  const rows = list.map((each, index) => ({ ...each, key: JSON.stringify([each.activity.source_id, each.activity.time, each.result, index]) }));
  keyed(form, rows, ({ key }) => key, ({ result, activity: one }) => {
    const text = `${RESULT_WORDS[result]}, ${day(one.time)}${one.by_forfeit ? ', by forfeit' : ''}`;
    const isNamed = !one.is_private;
    return h('li', {}, h(isNamed ? 'a' : 'span', { 'data-result': result, title: text, 'aria-label': text, href: isNamed ? `#/${one.source_id}/series` : null }, result));
  });
}

/** What else is counted, as far as there is any of it. */
function detailsOf({ played, streaks, forfeits_won: forfeitsWon, forfeits_lost: forfeitsLost, tournaments, podiums, tournaments_won: tournamentsWon, feats = {}, per_match: rates = {} }) {
  const run = streaks?.current;
  const runs = { won: 'won', lost: 'lost', drawn: 'drawn' };
  return [
    ['Played', counted(played, 'match', 'matches')],
    run && ['Streak', `${run.length} ${runs[run.of] ?? run.of}`],
    streaks?.longest_won > 1 && ['Longest winning streak', streaks.longest_won],
    streaks?.unbeaten > 1 && ['Unbeaten', `for ${counted(streaks.unbeaten, 'match', 'matches')}`],
    forfeitsWon + forfeitsLost > 0 && ['Forfeits', `${forfeitsWon} won, ${forfeitsLost} lost`],
    tournaments > 0 && ['Tournaments', `${tournaments}, ${counted(podiums, 'podium', 'podiums')}, ${tournamentsWon} won`],
    ...Object.entries(feats).map(([feat, count]) => [featWords(feat), rates[feat] ? `${count}, ${rates[feat].toFixed(2)} a match` : count]),
  ].filter(Boolean);
}

function ratingCard() {
  const value = h('strong', { class: 'rating-now' });
  const note = h('span', { class: 'quiet' });
  const chart = ratingChart();
  const empty = h('p', { class: 'quiet chart-empty' }, 'The line begins with the first match that play decides.');
  chart.node.append(empty);
  const system = h('select', { class: 'select', 'aria-label': 'Rating system' }, ...Object.entries(SYSTEMS).map(([key, text]) => h('option', { value: key }, text)));
  const denied = h('div');
  const body = h('div', { class: 'rating-body' }, h('div', { class: 'rating-line-now' }, value, note), chart.node);
  const node = h('section', { class: 'card player-card rating-card', 'aria-label': 'Rating' }, h('div', { class: 'card-head' }, h('h2', {}, 'Rating over time'), system), denied, body);
  const view = { player: '', game: '', drawn: '' };
  const update = (told) => {
    if (!either(body, denied, told, 'How a player is rated')) return;
    const { now, history, folding } = told.value;
    empty.hidden = history.length > 0;
    setText(value, now ? points(system.value, now.rating) : '–');
    setText(note, now ? `± ${points(system.value, now.deviation)} · at least ${points(system.value, now.floor)}${folding ? ' · a correction is being counted in' : ''}` : 'not rated yet');
    const drawn = JSON.stringify([system.value, history.length, history.at(-1), history[0]]);
    if (drawn === view.drawn) return;
    view.drawn = drawn;
    chart.update(system.value, history);
  };
  system.addEventListener('change', async () => {
    const chosen = system.value;
    const [told] = await Promise.allSettled([ratings(view.player, view.game, chosen)]);
    if (chosen === system.value) update(told);
  });
  return {
    node,
    update,
    close: chart.close,
    read(player, game) {
      Object.assign(view, { player, game });
      return ratings(player, game, system.value);
    },
  };
}

function rivalsCard() {
  const list = h('ol', { class: 'rivals' });
  const empty = h('p', { class: 'quiet', hidden: '' }, 'Nobody yet. Others are shown whose statistics may be seen, too.');
  const denied = h('div');
  const body = h('div', {}, list, empty);
  const node = h('section', { class: 'card player-card rivals-card', 'aria-label': 'Head to head' }, h('h2', {}, 'Head to head'), denied, body);
  return {
    node,
    update(player, told) {
      if (!either(body, denied, told, 'How a player has fared against others')) return;
      empty.hidden = told.value.length > 0;
      keyed(list, told.value, ({ against }) => against, ({ against }) => h('li', { class: 'rival' },
        h('a', { href: `#player/${against}` }, h('bdi', {}, against)), h('span', { class: 'rival-score' }),
        h('div', { class: 'record-bar', 'aria-hidden': 'true' }, h('i', { 'data-result': 'W' }), h('i', { 'data-result': 'D' }), h('i', { 'data-result': 'L' }))),
      (item, { met, won, drawn, lost }) => {
        const [, score, bar] = item.children;
        setText(score, `${won}:${lost}${drawn > 0 ? `, ${drawn} drawn` : ''}`);
        setAttribute(item, 'title', `${counted(met, 'match', 'matches')} against each other`);
        [won, drawn, lost].forEach((count, index) => bar.children[index].style.setProperty('--p', count / Math.max(1, met)));
      });
    },
  };
}
