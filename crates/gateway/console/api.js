/**
 * The reads over HTTP that the console needs.
 * @module api
 */

import { authorization } from './viewer.js';

/** The largest page of a list that the server gives. */
const PAGE = 1000;
/** A map has some hundreds of predictions; this only bounds a server that never ends its list. */
const MAX_PAGES = 20;

/** An answer that is none: its status, and what the server says about it. */
export class Failure extends Error {
  constructor(path, status, problem) {
    super(problem?.detail ?? `${path}: ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

async function get(path, query = {}, headers = {}) {
  const url = new URL(`/api/v1${path}`, location.href);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') url.searchParams.set(name, value);
  const response = await fetch(url, { headers: { accept: 'application/json', ...headers } });
  if (!response.ok) throw new Failure(url.pathname, response.status, await response.json().catch(() => null));
  return response.json();
}

async function list(path, name, query = {}) {
  const all = [];
  let after;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const body = await get(path, { limit: PAGE, ...query, ...(after !== undefined && { after }) });
    const items = body[name] ?? [];
    all.push(...items);
    if (body.next === undefined || body.next === null || items.length === 0 || body.next === after) break;
    after = body.next;
  }
  return all;
}

/**
 * One map, as lists of matches tell it.
 * @typedef {{match: string, map: number, status: string, round: number, map_name?: string, winner?: number, teams: {name?: string, side: string, score: number}[], prediction?: Object}} MapSummary
 */

/**
 * A match as a list tells it: its maps in order, what is set for it, and where it stands as a whole.
 * @typedef {{match: string, maps: MapSummary[], series?: Object, standing?: Object}} MatchSummary
 */

/**
 * Every match, by name.
 * @returns {Promise<MatchSummary[]>}
 */
export async function matches() {
  return (await list('/matches', 'matches')).map(summary).sort((a, b) => (a.match < b.match ? -1 : 1));
}

/**
 * One match; undefined if there is none.
 * @returns {Promise<MatchSummary|undefined>}
 */
export const oneMatch = (match) => get(`/matches/${match}`).then(summary, () => undefined);

function summary({ match, maps, series, standing }) {
  const own = Object.values(maps ?? {}).filter((one) => one?.map > 0).map((one) => ({ ...one, match }));
  return { match, series, standing, maps: own.sort((a, b) => a.map - b.map) };
}

/**
 * The map of a match that one wants to see: the one being played, else the last that has begun.
 * @param {MapSummary[]} maps
 * @returns {MapSummary|undefined}
 */
export function currentMap(maps) {
  return maps.find(({ status }) => status === 'live' || status === 'paused')
    ?? maps.findLast(({ status }) => status !== 'scheduled')
    ?? maps[0];
}

/** The win-probability series of a map, oldest first. */
export const predictions = (match, map) => list(`/matches/${match}/maps/${map}/predictions`, 'predictions');

/** The events of a map with `after < seq`. */
export const events = (match, map, after) => list('/events', 'events', { subject: `match/${match}/${map}`, after });

/**
 * The events of a stream with `after < seq <= to`, all of them.
 * @param {string} subject
 * @param {number} after
 * @param {number} to
 * @returns {Promise<Object[]>}
 */
export async function eventsBetween(subject, after, to) {
  const all = [];
  // A page may end early, at some size.
  for (let last = after; last < to; last = all.at(-1).seq) {
    const { events: page = [] } = await get('/events', { subject, after: last, limit: Math.min(PAGE, to - last) });
    if (page.length === 0) break;
    all.push(...page);
  }
  return all;
}

/** A match as a whole: `series`, `standing`, and the states of its maps by number. */
export const wholeMatch = (match) => get(`/matches/${match}`);

/** The state of a map, never behind what was acknowledged. */
export const mapState = (match, map) => get(`/matches/${match}/maps/${map}`);

/** What each player did on a map, with rates. */
export const mapStats = async (match, map) => (await get(`/matches/${match}/maps/${map}/stats`)).stats;

/** What each player did over the maps of a match, with rates. */
export const matchStats = async (match) => (await get(`/matches/${match}/stats`)).stats;

/** The JSON Schema of a type's data. */
export const schema = (type) => get(`/schemas/${type}.json`);

/** The upstreams from which the server fetches events. */
export const upstreams = async () => (await get('/upstreams')).upstreams;

/** How long the stages of the pipeline take. */
export const serverStatus = () => get('/status');

/** How good predictions have been, by model and by what they were about. */
export const calibration = () => get('/calibration');

/** Reads what depends on who asks: the person whose token was given here, or a stranger. */
const personal = (path, query) => get(path, query, authorization());

/** Who the person is whose token was given: their player id, if they have one. */
export const me = () => personal('/me');

/** What a player has done, a page of it, the newest first. */
export const activity = (player, query) => personal(`/players/${player}/activity`, query);

/** What is counted of a player. */
export const statistics = (player, query) => personal(`/players/${player}/statistics`, query);

/** Whom a player has met the most often in a game. */
export const opponents = async (player, query) => (await personal(`/players/${player}/versus`, query)).opponents;

/** How many pages of a rating's history are read. */
const RATING_PAGES = 5;

/** What a player is rated by a system, with what that was, the oldest first: the last 5,000 matches. */
export async function ratings(player, game, system) {
  const history = [];
  let after;
  let first;
  for (let page = 0; page < RATING_PAGES; page += 1) {
    const body = await personal(`/players/${player}/ratings`, { game, system, limit: PAGE, after });
    first ??= body;
    history.push(...body.history);
    after = body.next;
    if (after === undefined) break;
  }
  return { now: first.ratings[system], folding: first.folding === true, history: history.reverse() };
}

/** Those who are first in a game. */
export const leaderboard = (game, query) => personal(`/leaderboards/${game}`, query);
