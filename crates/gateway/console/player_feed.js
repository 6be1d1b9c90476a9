/**
 * What a player has done, one by one, the newest first; and the results in it.
 * @module player_feed
 */

import { activity } from './api.js';
import { h, setText } from './dom.js';
import { counted, day, gameName, kindWords, ordinal, refusal } from './player_words.js';

/** The kinds that are asked for by themselves. */
const FILTERS = [['', 'Everything'], ['match_won', 'Won'], ['match_lost', 'Lost'], ['match_drawn', 'Drawn'], ['tournament_placed', 'Places'], ['tournament_won', 'Tournaments won']];
const RESULTS = { match_won: 'W', match_lost: 'L', match_drawn: 'D' };
const PRIVATE = '[private tournament]';
/** How many pages are looked through for results. */
const RESULT_PAGES = 4;

/**
 * The last results that hold, the oldest first.
 * @param {string} player
 * @param {string} game
 * @param {number} count
 * @returns {Promise<{result: string, activity: Object}[]>}
 */
export async function lastResults(player, game, count) {
  const stated = new Map();
  let after;
  for (let page = 0; page < RESULT_PAGES; page += 1) {
    const body = await activity(player, { game, after });
    for (const one of body.activities.filter(({ event_type: kind }) => kind in RESULTS)) {
      // Of private tournaments neither match nor time is told to others: those of a day are counted together.
      const key = JSON.stringify([one.source_id, one.event_type, one.time]);
      const group = stated.get(key) ?? { one, count: 0 };
      group.count += isStated(one) ? 1 : -1;
      stated.set(key, group);
    }
    after = body.next;
    if (after === undefined || held(stated).length >= count) break;
  }
  const results = held(stated).sort((a, b) => Date.parse(b.time) - Date.parse(a.time)).slice(0, count);
  return results.reverse().map((one) => ({ result: RESULTS[one.event_type], activity: one }));
}

/** What is stated more often than it is taken back. */
const held = (stated) => [...stated.values()].flatMap(({ one, count }) => Array(Math.max(0, count)).fill(one));
const isStated = ({ revision }) => revision % 2 === 1;

/** @returns {{node: HTMLElement, show: (player: string, game: string) => Promise<void>}} */
export function playerFeed() {
  const list = h('ol', { class: 'deeds' });
  const more = h('button', { type: 'button', class: 'button', hidden: '' }, 'Show more');
  const empty = h('p', { class: 'quiet deeds-empty', hidden: '' });
  const filter = h('select', { class: 'select', 'aria-label': 'Which activities' }, ...FILTERS.map(([value, text]) => h('option', { value }, text)));
  const denied = h('div');
  const node = h('section', { class: 'card player-card deeds-card', 'aria-label': 'Activity' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Activity'), filter), denied, list, empty, more);
  const view = { player: '', game: '', next: undefined, asked: 0 };

  async function read(isFirst) {
    view.asked += 1;
    const asked = view.asked;
    more.disabled = true;
    try {
      const body = await activity(view.player, { game: view.game, type: filter.value, after: isFirst ? undefined : view.next });
      if (asked !== view.asked) return;
      denied.replaceChildren();
      if (isFirst) list.replaceChildren();
      list.append(...worthTelling(body.activities).map(row));
      dayHeads(list);
      view.next = body.next;
      // A page may be empty where few are wanted among many.
      more.hidden = body.next === undefined;
      empty.hidden = list.children.length > 0 || !more.hidden;
      setText(empty, filter.value ? 'There is nothing of this kind.' : 'Nothing yet. What a player does stands here as soon as a match or a tournament is over.');
    } catch (error) {
      if (asked !== view.asked) return;
      more.hidden = empty.hidden = true;
      list.replaceChildren();
      denied.replaceChildren(refusal(error, 'What a player has done, one by one,'));
    } finally {
      more.disabled = false;
      filter.hidden = denied.childElementCount > 0;
    }
  }

  more.addEventListener('click', () => read(false));
  filter.addEventListener('change', () => read(true));
  return {
    node,
    show(player, game) {
      Object.assign(view, { player, game, next: undefined });
      return read(true);
    },
  };
}

/** Whoever has a result has played: that is not told twice. */
function worthTelling(activities) {
  const results = new Set(activities.filter(({ event_type: kind, revision }) => kind in RESULTS && revision % 2 === 1).map(({ source_id: source, time }) => source + time));
  return activities.filter(({ event_type: kind, source_id: source, time }) => kind !== 'match_played' || !results.has(source + time));
}

function row(one) {
  const { event_type: kind, source_model: model, source_id: source, tournament, against_team: team, against = [], by_forfeit: isForfeit, count = 1, place, is_private: isPrivate } = one;
  const isReversal = !isStated(one);
  const mark = h('span', { class: 'deed-mark', 'data-kind': kind, 'aria-hidden': 'true' }, RESULTS[kind] ?? '');
  const words = [kindWords(kind), count > 1 ? ` ×${count}` : '', place ? ` ${ordinal(place)}` : ''].join('');
  const link = source === PRIVATE ? h('span', { class: 'quiet' }, 'a private tournament')
    : model === 'match' ? h('a', { href: `#/${source}/series` }, source) : h('bdi', { class: 'quiet' }, source);
  const opponents = team ?? (against.length > 3 ? counted(against.length, 'player', 'players') : against.join(', '));
  return h('li', { class: 'deed', 'data-time': one.time, 'data-reversal': isReversal ? '' : null }, mark,
    h('span', { class: 'deed-words' }, h('strong', {}, words), opponents ? h('span', { class: 'quiet' }, ' v ', h('bdi', {}, opponents)) : null),
    isForfeit ? h('span', { class: 'tag' }, 'by forfeit') : null,
    isReversal ? h('span', { class: 'tag verdict', title: 'The result was corrected' }, 'taken back') : null,
    isPrivate ? h('span', { class: 'tag', title: 'It counts in what the player sees, and in nothing that others see' }, 'private') : null,
    h('span', { class: 'deed-where' }, link, model === 'match' && tournament && !isPrivate ? h('bdi', { class: 'quiet' }, ` · ${tournament}`) : null,
      one.game ? h('span', { class: 'quiet' }, ` · ${gameName(one.game)}`) : null));
}

/** A line with the day above the first of each. */
function dayHeads(list) {
  let last;
  for (const item of [...list.children]) {
    if (item.classList.contains('deed-day')) {
      last = item.textContent;
    } else if (day(item.dataset.time) !== last) {
      last = day(item.dataset.time);
      item.before(h('li', { class: 'deed-day' }, last));
    }
  }
}
