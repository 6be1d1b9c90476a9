/**
 * What can be read out of a match as a whole: which group of a list it belongs to, when it starts, how
 * a map's teams stand to the match's. Pure functions.
 * @module series
 */

/** The groups of a list, in their order. */
export const GROUPS = { live: 'Live', upcoming: 'Upcoming', finished: 'Finished' };

/**
 * The group that a match belongs to. Between two maps of a match whose length is known it is live.
 * @param {import('./api.js').MatchSummary} match
 * @returns {'live'|'upcoming'|'finished'}
 */
export function groupOf({ maps, series, standing }) {
  if (standing?.status === 'ended') return 'finished';
  if (maps.some(({ status }) => status === 'live' || status === 'paused')) return 'live';
  const isBetween = standing?.status === 'live' || standing?.status === 'paused';
  if (isBetween && (series?.best_of || maps.length === 0)) return 'live';
  return maps.some(({ status }) => status === 'ended') ? 'finished' : 'upcoming';
}

/**
 * Whether a map has the teams of the match in the other order, by their names.
 * @param {{teams?: {name?: string}[]}|undefined} standing
 * @param {{teams?: {name?: string}[]}} map
 * @returns {boolean}
 */
export function isSwapped(standing, map) {
  const same = (a, b) => {
    const [ours, theirs] = [standing?.teams?.[a]?.name, map?.teams?.[b]?.name];
    return Boolean(ours && theirs) && ours.toLowerCase() === theirs.toLowerCase();
  };
  const straight = same(0, 0) || same(1, 1);
  const crossed = same(0, 1) || same(1, 0);
  return crossed && !straight;
}

/**
 * The scores of a map in the order of the match's teams.
 * @returns {number[]}
 */
export function scoreInOrder(standing, map) {
  const scores = (map.teams ?? []).map(({ score }) => score ?? 0);
  return isSwapped(standing, map) ? scores.reverse() : scores;
}

/**
 * Who won a match that is over: as it is told, or else whoever has won more maps.
 * @param {import('./api.js').MatchSummary} match
 * @returns {number|undefined}
 */
export function winnerOf({ series, standing }) {
  if (standing?.winner !== undefined || series?.ruling) return standing?.winner;
  const [first, second] = standing?.score ?? [0, 0];
  return first === second ? undefined : Number(first < second);
}

/** Whether there is more to a match than its maps: a length, or a map won. */
export const hasSeriesScore = ({ maps, series, standing }) => Boolean(standing)
  && ((series?.best_of ?? 0) > 1 || maps.length > 1 || standing.score.some((won) => won > 0));

/**
 * When a match starts, in the time of whoever looks: `Today, 18:00`, `Sat, 31 Jan, 18:00`.
 * @param {string|undefined} starts RFC 3339
 * @param {Date} [now]
 * @returns {string}
 */
export function startWords(starts, now = new Date()) {
  const time = new Date(starts);
  if (!starts || Number.isNaN(time.getTime())) return 'Start not set';
  const clock = time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  const near = { '-1': 'Yesterday', 0: 'Today', 1: 'Tomorrow' }[days];
  const year = time.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return `${near ?? time.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short', year })}, ${clock}`;
}

/** The tournament and the stage, `spring-cup · Final`. */
export const eventWords = (series) => [series?.tournament, series?.stage].filter(Boolean).join(' · ');
