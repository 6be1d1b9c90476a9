/**
 * What players do, in words; and what is said where something of them is not to be seen.
 * @module player_words
 */

import { Failure } from './api.js';
import { h } from './dom.js';
import { isPerson } from './viewer.js';
import { askToken, forgetToken } from './viewer_button.js';

const GAMES = { cs2: 'Counter-Strike 2', football: 'Football' };
const KINDS = {
  match_played: 'Played', match_won: 'Won', match_lost: 'Lost', match_drawn: 'Drew', tournament_joined: 'Joined',
  tournament_placed: 'Placed', tournament_won: 'Won the tournament', ace: 'Ace', clutch: 'Clutch', goal: 'Goal', assist: 'Assist',
};

/** What games keep records of, when there are several. */
const FEATS = { ace: 'Aces', clutch: 'Clutches', goal: 'Goals', assist: 'Assists' };

/** The rating systems that are served, by their names. */
export const SYSTEMS = { 'glicko-2': 'Glicko-2', openskill: 'OpenSkill' };

/** What a game is called. */
export const gameName = (game) => GAMES[game] ?? game;

/** What a kind of activity is called. */
export const kindWords = (kind) => KINDS[kind] ?? kind.replaceAll('_', ' ');

/** What feats of a kind are called. */
export const featWords = (feat) => FEATS[feat] ?? kindWords(feat);

/** A rating as it is read: whole points in Glicko-2, two places in OpenSkill, whose points are larger. */
export const points = (system, number) => number.toFixed(system === 'openskill' ? 2 : 0).replace('-', '−');

/** A day, `3 May 2026`. */
export const day = (time) => new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(time));

/** `1 match`, `2 matches`. */
export const counted = (count, one, many) => `${new Intl.NumberFormat('en').format(count)} ${count === 1 ? one : many}`;

/** A place, `1st`. */
export function ordinal(place) {
  const end = place % 100 >= 11 && place % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][place % 10] ?? 'th';
  return `${place}${end}`;
}

/**
 * Why something is not shown, and what can be done about it.
 * @param {Error} error what came of asking
 * @param {string} what that it is
 * @param {boolean} [isWhole] whether nothing at all is shown of the player
 * @returns {HTMLElement}
 */
export function refusal(error, what, isWhole = false) {
  const status = error instanceof Failure ? error.status : 0;
  const say = (title, text, ...actions) => h('div', { class: 'refusal', 'data-status': status },
    h('h3', {}, title), h('p', { class: 'quiet' }, text), actions.length > 0 ? h('div', { class: 'page-tools' }, ...actions) : null);
  const button = (words, onclick) => h('button', { type: 'button', class: 'button', onclick }, words);
  if (status === 401 && !isPerson()) return say('This is for those who have signed in', `${what} depends on who looks: your token says who you are, and so who your friends are.`, button('Sign in', askToken));
  if (status === 401) {
    return say('The token is not good', error.message, button('Give another one', askToken), button('Look as a stranger', forgetToken));
  }
  if (status === 403 && error.problem?.code === 'forbidden') {
    const text = `${what} is for the player alone, as long as the player does not let friends or everybody see it.${isWhole ? ' If there is no such player, this looks the same.' : ''}`;
    return isPerson() ? say('Only the player sees this', text) : say('Only the player sees this', text, button('I am the player', askToken));
  }
  if (status === 503) return say('Not counted yet', 'The server is still counting what players have done. This comes by itself.');
  return say('This cannot be shown', error.message);
}
