/**
 * The console's entry: the frame of the page, and which page the address asks for. `#/` is the list
 * of matches, `#/m1/2` map 2 of match m1, `#/m1` the map of m1 that is being played, `#/m1/series` m1
 * as a whole; `#/m1/2/referee` and `#/m1/referee` are the referee's pages of both. `#calibration` tells how
 * good predictions have been, `#player/p1` is a player's page, `#leaderboard/cs2` a leaderboard; without the slash, since a
 * match may have these names.
 * @module console
 */

import { currentMap, oneMatch } from './api.js';
import { calibrationPage } from './calibration_page.js';
import { h, setAttribute, setText } from './dom.js';
import { staleMs } from './feed.js';
import { latencyStrip } from './latency.js';
import { leaderboardPage } from './leaderboard_page.js';
import { mapPage } from './map_page.js';
import { matchList } from './match_list.js';
import { playerPage } from './player_page.js';
import { refereePage } from './referee_page.js';
import { seriesPage } from './series_page.js';
import { themeButton } from './theme.js';
import { upstreamStrip } from './upstreams.js';
import { viewerButton } from './viewer_button.js';

const CONNECTIONS = {
  connecting: 'connecting', live: 'live', reconnecting: 'reconnecting', resumed: 'resumed', refused: 'not permitted',
  failed: 'cannot go on',
};

/** How often it is said anew how old the page is. */
const STALE_MS = 1_000;

const main = document.getElementById('main');
const crumb = document.getElementById('crumb');
const embed = document.getElementById('embed-link');
const calibrationLink = document.getElementById('calibration-link');
const leaderboardLink = document.getElementById('leaderboard-link');
const connection = document.getElementById('connection');
let page = null;

function showConnection(name) {
  setAttribute(connection, 'data-connection', name);
  const seconds = Math.round(staleMs() / 1_000);
  const isOld = name === 'reconnecting' && seconds > 0 && Number.isFinite(seconds);
  setText(connection.lastElementChild, isOld ? `${CONNECTIONS[name]}, ${seconds} s old` : CONNECTIONS[name]);
}

/** What the address asks for, each part checked against the grammar of subjects. */
function route() {
  if (location.hash === '#calibration') return { page: 'calibration' };
  const other = /^#(player|leaderboard)(?:\/([A-Za-z0-9._~-]{1,64}))?(?:\?(.*))?$/.exec(location.hash);
  if (other && (other[2] || other[1] === 'leaderboard')) return { page: other[1], of: other[2], query: new URLSearchParams(other[3] ?? '') };
  const found = /^#\/([A-Za-z0-9._~-]{1,64})(?:\/([1-9][0-9]{0,2}))?(?:\/(series|referee))?$/.exec(location.hash);
  const [, match, map, page] = found ?? [];
  return { match, map: map && Number(map), page };
}

/** The page of a match that one wants to see: the map being played, or what is set as long as there is none. */
async function lead(match) {
  const found = await oneMatch(match);
  if (location.hash !== `#/${match}`) return;
  const map = found ? currentMap(found.maps)?.map : 1;
  location.replace(`#/${match}/${map ?? 'series'}`);
}

function pageFor({ match, map, page: name, of, query }) {
  if (name === 'calibration') return calibrationPage(showConnection);
  if (name === 'player') return playerPage(of, query, showConnection);
  if (name === 'leaderboard') return leaderboardPage(of, query, showConnection);
  if (!match) return matchList(showConnection);
  if (name === 'referee') return refereePage(match, map, showConnection);
  return map ? mapPage(match, map, showConnection) : seriesPage(match, showConnection);
}

async function open() {
  page?.close();
  page = null;
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  const asked = route();
  if (asked.match && !asked.map && !asked.page) {
    await lead(asked.match);
    return;
  }
  document.title = 'Matchwire';
  setText(crumb, [asked.match, asked.map && `map ${asked.map}`, asked.page === 'referee' && 'referee', asked.page === 'calibration' && 'predictions', asked.page === 'player' && asked.of, asked.page === 'leaderboard' && 'leaderboard'].filter(Boolean).join(' · '));
  embed.hidden = !asked.map;
  setAttribute(calibrationLink, 'aria-current', asked.page === 'calibration' ? 'page' : null);
  setAttribute(leaderboardLink, 'aria-current', asked.page === 'leaderboard' ? 'page' : null);
  if (asked.map) setAttribute(embed, 'href', `/console/embed/${asked.match}/${asked.map}`);
  page = pageFor(asked);
  main.replaceChildren(page.node);
  scrollTo(0, 0);
}

setInterval(() => connection.dataset.connection === 'reconnecting' && showConnection('reconnecting'), STALE_MS);
// A link to `#main` would leave the page, since the address is the route.
document.getElementById('skip').addEventListener('click', () => main.focus());
document.getElementById('tools').append(viewerButton(), themeButton());
document.getElementById('footer').prepend(latencyStrip(), upstreamStrip());
document.getElementById('footer').append(h('p', { class: 'quiet foot' }, 'Matchwire · ', h('a', { href: '#leaderboard' }, 'Leaderboard'), ' · ', h('a', { href: '#calibration' }, 'Predictions'), ' · ', h('a', { href: '/api/v1/openapi.json' }, 'API'), ' · ', h('a', { href: '/metrics' }, 'Metrics')));
addEventListener('hashchange', async () => {
  await open();
  main.focus();
});
open();
