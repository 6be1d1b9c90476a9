/**
 * What can be read out of a state that it does not say outright: who plays for whom, which side a
 * team had, averages. Pure functions of a state as `GET …/maps/{map}` serves it.
 * @module reading
 */

/** @typedef {{id: string, name?: string, team?: number, side?: string, alive: boolean, health: number, connected: boolean, kills: number, deaths: number, assists: number, headshots: number, damage: number, money?: number, equipment?: number}} Player */

/**
 * A team's players in the order of the scoreboard. One who left without having done anything is
 * left out.
 * @param {Object} state
 * @param {number} team
 * @returns {Player[]}
 */
export function roster(state, team) {
  return Object.entries(state.players ?? {})
    .map(([id, player]) => ({ id, ...player }))
    .filter((player) => player.team === team && (player.role ?? 'player') === 'player')
    .filter((player) => player.connected || player.kills + player.deaths + player.assists > 0)
    .sort((a, b) => b.kills - a.kills || b.damage - a.damage || a.deaths - b.deaths || (a.id < b.id ? -1 : 1));
}

/** How many players of a team are alive. */
export const aliveOf = (state, team) => roster(state, team).filter((player) => player.alive).length;

/** How many rounds the players' statistics are over: those that count and the one being played. */
export function roundsPlayed(state) {
  return Object.keys(state.rounds ?? {}).length + (state.phase === 'round' ? 1 : 0);
}

/**
 * The side that a team was on in a round: as the round's result tells it, else as it is now.
 * @param {Object} state
 * @param {number|undefined} team
 * @param {number} round
 * @returns {'CT'|'T'|undefined}
 */
export function sideIn(state, team, round) {
  if (team === undefined) return undefined;
  const result = state.rounds?.[round];
  if (!result) return state.teams?.[team]?.side;
  return result.winner === team ? result.side : other(result.side);
}

const other = (side) => (side === 'CT' ? 'T' : 'CT');

/**
 * The halves of regulation, and the overtimes as far as they are reached. A state does not tell the
 * length of an overtime, so it is taken to be six rounds, as nearly everywhere.
 * @param {Object} state
 * @returns {{label: string, overtime: boolean, rounds: number[]}[]}
 */
export function halves(state) {
  const regulation = state.max_rounds || 24;
  const last = Math.max(state.round || 0, ...Object.keys(state.rounds ?? {}).map(Number), 1);
  const range = (from, count) => Array.from({ length: count }, (_, i) => from + i);
  const half = Math.ceil(regulation / 2);
  const all = [
    { label: '1st half', overtime: false, rounds: range(1, half) },
    { label: '2nd half', overtime: false, rounds: range(half + 1, regulation - half) },
  ];
  for (let from = regulation + 1, n = 1; from <= last; from += 6, n += 1) {
    all.push({ label: `Overtime ${n}`, overtime: true, rounds: range(from, 6) });
  }
  return all;
}

/**
 * The score before a round, in the order of teams.
 * @param {Object} state
 * @param {number} round
 * @returns {[number, number]}
 */
export function scoreBefore(state, round) {
  for (let n = round - 1; n > 0; n -= 1) {
    const score = state.rounds?.[n]?.score;
    if (score) return score;
  }
  return [0, 0];
}

/**
 * The predictions that belong to play that counts: when the round goes back (a restart, a reload
 * from a back-up), those of later rounds are void, and of what came before the first round only
 * the last is kept.
 * @template {{round_no: number}} P
 * @param {P[]} predictions
 * @returns {P[]}
 */
export function counting(predictions) {
  const kept = [];
  for (const prediction of predictions) {
    if (prediction.round_no === undefined) {
      // A game without rounds has no play that is void.
      kept.push(prediction);
      continue;
    }
    const round = prediction.round_no;
    const isVoid = (last) => last && (last.round_no > round || (last.round_no === 0 && round === 0));
    while (isVoid(kept.at(-1))) kept.pop();
    kept.push(prediction);
  }
  return kept;
}

/**
 * The round that an event belongs to, by the predictions around it.
 * @param {{seq: number, round_no: number}[]} predictions ascending by seq
 * @param {number} seq
 * @returns {number|undefined}
 */
export function roundOf(predictions, seq) {
  let [low, high] = [0, predictions.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (predictions[middle].seq <= seq) low = middle + 1;
    else high = middle;
  }
  return predictions[low - 1]?.round_no;
}
