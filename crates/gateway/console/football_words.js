/**
 * What the state of a football match says, in words and minutes. Pure functions of a state as
 * `GET …/maps/{map}` serves it, or of what a list tells of it.
 * @module football_words
 */

import { teamName } from './words.js';

const MINUTE_MS = 60_000;

/** When each period begins, and how long it is without added time; minutes. */
const PERIODS = {
  first_half: { name: '1st half', begins: 0, length: 45, after: 'Half-time' },
  second_half: { name: '2nd half', begins: 45, length: 45, after: 'Extra time to come' },
  extra_time_first: { name: 'Extra time', begins: 90, length: 15, after: 'Half-time of extra time' },
  extra_time_second: { name: 'Extra time', begins: 105, length: 15, after: 'Penalties to come' },
  shoot_out: { name: 'Penalties', begins: 120, length: 0, after: 'Penalties' },
};

/** A minute as people write it, `45+2'`; empty where it is not known. */
export function minuteText({ minute, added = 0 }) {
  if (minute === undefined) return '';
  return added > 0 ? `${minute}+${added}'` : `${minute}'`;
}

/**
 * The minute that the clock shows.
 * @param {Object} state
 * @param {number|null} nowMs the time at the match, null where it cannot be told
 */
export function clockText({ clock, phase, period, status }, nowMs) {
  if (!clock || phase !== 'play' || period === 'shoot_out') return '';
  const since = nowMs === null || status !== 'live' ? 0 : nowMs - Date.parse(clock.time);
  // Beyond this the feed has stopped, and nobody knows.
  if (!(since > 0) || since > 10 * MINUTE_MS) return minuteText(clock);
  const { begins, length } = PERIODS[period];
  const number = Math.floor((clock.elapsed_ms + since) / MINUTE_MS) + 1;
  return minuteText({ minute: begins + Math.min(number, length), added: Math.max(number - length, 0) });
}

/** What is going on: `2nd half`, `Half-time`. */
export function stage({ status, phase, period }) {
  if (phase === 'ended') return 'Full time';
  if (status === 'paused') return 'Play is stopped';
  if (!PERIODS[period]) return 'Before kick-off';
  return phase === 'interval' ? PERIODS[period].after : PERIODS[period].name;
}

/** The kicks from the penalty mark, `4–2 on penalties`. */
export const kicksText = ({ shootout }) => (shootout ? `${shootout.score.join('–')} on penalties` : '');

/** How it ended. */
export function result(state) {
  const why = state.ruling?.kind;
  if (why === 'abandoned') return 'Abandoned';
  const kicks = kicksText(state);
  const how = [kicks, why === 'forfeited' ? 'by forfeit' : '', why === 'amended' ? 'by decision' : ''].filter(Boolean);
  const who = state.winner === undefined ? 'Draw' : `${teamName(state, state.winner)} win`;
  return [who, ...how].join(', ');
}

/**
 * What happened, in the order of play, the latest first.
 * @param {Object} state
 * @returns {{key: string, kind: string, team: number, minute?: number, added?: number, period?: string}[]}
 */
export function plays(state) {
  const of = (list, kind) => Object.entries(list ?? {}).map(([number, item]) => ({ key: `${kind}-${number}`, kind, ...item }));
  const all = [
    ...of(state.goals, 'goal'), ...of(state.disallowed, 'disallowed'), ...of(state.missed_penalties, 'missed'),
    ...of(state.cards, 'card'), ...of(state.substitutions, 'substitution'),
    ...of(state.shootout?.kicks, 'kick').map((kick, index) => ({ ...kick, period: 'shoot_out', minute: index })),
  ];
  const order = Object.keys(PERIODS);
  const at = ({ period, minute = 0, added = 0 }) => order.indexOf(period) * 10_000 + minute * 60 + added;
  return all.sort((a, b) => at(b) - at(a) || (a.key < b.key ? 1 : -1));
}

/**
 * A team's players: who started by number, then who came on, then who did not.
 * @param {Object} state
 * @param {number} team
 */
export function lineUp(state, team) {
  const came = new Set(Object.values(state.substitutions ?? {}).map(({ on }) => on));
  const rank = (player) => (player.starts ? 0 : came.has(player.id) || player.on_pitch ? 1 : 2);
  return Object.entries(state.players ?? {})
    .map(([id, player]) => ({ id, ...player }))
    .filter((player) => player.team === team)
    .map((player) => ({ ...player, rank: rank(player) }))
    .sort((a, b) => a.rank - b.rank || (a.number ?? 999) - (b.number ?? 999) || (a.id < b.id ? -1 : 1));
}

/** What a list says beside the match's name: where it stands. */
export function summaryText(map) {
  if (map.status === 'scheduled') return 'Football';
  const minute = map.phase === 'play' ? clockText(map, null) : '';
  return [kicksText(map) || stage(map), minute].filter(Boolean).join(' · ');
}
