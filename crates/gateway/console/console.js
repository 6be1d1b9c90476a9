/**
 * The console's entry: the frame of the page, and which page the address asks for. `#/` is the list
 * of matches, `#/m1/2` map 2 of match m1, `#/m1` the map of m1 that is being played.
 * @module console
 */

import { currentMap, matches } from './api.js';
import { h, setAttribute, setText } from './dom.js';
import { latencyStrip } from './latency.js';
import { mapPage } from './map_page.js';
import { matchList } from './match_list.js';
import { themeButton } from './theme.js';

const CONNECTIONS = {
  connecting: 'connecting', live: 'live', reconnecting: 'reconnecting', resumed: 'resumed', refused: 'not permitted',
};

const main = document.getElementById('main');
const crumb = document.getElementById('crumb');
const embed = document.getElementById('embed-link');
const connection = document.getElementById('connection');
let page = null;

function showConnection(name) {
  setAttribute(connection, 'data-connection', name);
  setText(connection.lastElementChild, CONNECTIONS[name]);
}

/** The parts of `#/match/map`, each checked against the grammar of subjects. */
function route() {
  const found = /^#\/([A-Za-z0-9._~-]{1,64})(?:\/([1-9][0-9]{0,2}))?$/.exec(location.hash);
  return { match: found?.[1], map: found?.[2] && Number(found[2]) };
}

async function open() {
  page?.close();
  page = null;
  const asked = route();
  if (asked.match && !asked.map) {
    const series = (await matches().catch(() => [])).find(({ match }) => match === asked.match);
    if (location.hash !== `#/${asked.match}`) return;
    location.replace(`#/${asked.match}/${series ? currentMap(series.maps).map : 1}`);
    return;
  }
  document.title = 'Matchwire';
  setText(crumb, asked.match ? `${asked.match} · map ${asked.map}` : '');
  embed.hidden = !asked.match;
  if (asked.match) setAttribute(embed, 'href', `/console/embed/${asked.match}/${asked.map}`);
  page = asked.match ? mapPage(asked.match, asked.map, showConnection) : matchList(showConnection);
  main.replaceChildren(page.node);
  scrollTo(0, 0);
}

// A link to `#main` would leave the page, since the address is the route.
document.getElementById('skip').addEventListener('click', () => main.focus());
document.getElementById('tools').append(themeButton());
document.getElementById('footer').prepend(latencyStrip());
document.getElementById('footer').append(h('p', { class: 'quiet foot' }, 'Matchwire · ', h('a', { href: '/api/v1/openapi.json' }, 'API'), ' · ', h('a', { href: '/metrics' }, 'Metrics')));
addEventListener('hashchange', async () => {
  await open();
  main.focus();
});
open();
