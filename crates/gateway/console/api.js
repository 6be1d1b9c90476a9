/**
 * The reads over HTTP that the console needs.
 * @module api
 */

/** The largest page of a list that the server gives. */
const PAGE = 1000;
/** A map has some hundreds of predictions; this only bounds a server that never ends its list. */
const MAX_PAGES = 20;

async function get(path, query = {}) {
  const url = new URL(`/api/v1${path}`, location.href);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
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
 * Every match with its maps in order; the live ones first, then paused, scheduled, ended.
 * @returns {Promise<{match: string, maps: MapSummary[]}[]>}
 */
export async function matches() {
  const byMatch = new Map();
  for (const element of await list('/matches', 'matches')) {
    const maps = byMatch.get(element.match) ?? [];
    const summaries = Array.isArray(element.maps) ? element.maps : Object.values(element.maps ?? { only: element });
    for (const summary of summaries) {
      if (summary && summary.map > 0) maps.push({ ...summary, match: element.match });
    }
    byMatch.set(element.match, maps);
  }
  return [...byMatch]
    .map(([match, maps]) => ({ match, maps: maps.sort((a, b) => a.map - b.map) }))
    .filter(({ maps }) => maps.length > 0)
    .sort((a, b) => rank(a.maps) - rank(b.maps) || (a.match < b.match ? -1 : 1));
}

const ORDER = ['live', 'paused', 'scheduled', 'ended'];

function rank(maps) {
  return Math.min(...maps.map(({ status }) => (ORDER.indexOf(status) + ORDER.length + 1) % (ORDER.length + 1)));
}

/**
 * The map of a match that one wants to see: the one being played, else the last that has begun.
 * @param {MapSummary[]} maps
 * @returns {MapSummary}
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

/** What each player did on a map, with rates. */
export const mapStats = async (match, map) => (await get(`/matches/${match}/maps/${map}/stats`)).stats;

/** How long the stages of the pipeline take. */
export const serverStatus = () => get('/status');
