/**
 * The browser test of the console's pages of players: opens a leaderboard and the page of whoever leads it in headless
 * Chromium, wide and narrow, light and dark, and compares what is shown with what the API says; and looks at what
 * a stranger is told where nothing is to be seen. Needs Node 20 or later, a Chromium, and a running server on which somebody has
 * won and lets everybody see it, as the demo's players do.
 *
 *   node ops/browser-test/players.test.mjs --url http://127.0.0.1:8080 --chromium /usr/bin/chromium \
 *     [--game cs2] [--match demo] [--screenshots DIR]
 *
 * Exits 1 with a message for each failure. It waits for conditions, at most 20 s each.
 */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { Chromium } from './chromium.mjs';
import { Tab } from './tab.mjs';

const SIZES = [{ width: 1600, height: 1000 }, { width: 360, height: 740 }];
const SCHEMES = ['dark', 'light'];

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' }, chromium: { type: 'string', default: '/usr/bin/chromium' },
    game: { type: 'string', default: 'cs2' }, match: { type: 'string' }, screenshots: { type: 'string' },
  },
});
if (!options.url) {
  console.error('usage: players.test.mjs --url URL [--chromium PATH] [--game GAME] [--match MATCH] [--screenshots DIR]');
  process.exit(2);
}
const base = new URL(options.url);
const { game } = options;

async function read(path) {
  const response = await fetch(new URL(`/api/v1${path}`, base));
  assert.equal(response.status, 200, `GET ${path} answered ${response.status}`);
  return response.json();
}

/** What a leaderboard shows: place, player and score of each. */
const RANKS = `[...document.querySelectorAll('.rank')].map((rank) => [
  Number(rank.querySelector('.rank-place').textContent), rank.querySelector('a.rank-name')?.textContent ?? null, rank.querySelector('.rank-score').textContent,
])`;

/** Waits until a leaderboard shows what the API says of it; results may come in meanwhile. */
async function checkRanks(tab, path, score) {
  let wanted;
  const until = Date.now() + 20_000;
  for (;;) {
    wanted = (await read(path)).players.map((one) => [one.place, one.player ?? null, score(one)]);
    const shown = await tab.evaluate(RANKS);
    if (JSON.stringify(shown) === JSON.stringify(wanted)) break;
    if (Date.now() > until) assert.deepEqual(shown, wanted, path);
    await tab.evaluate('new Promise(requestAnimationFrame)');
  }
  assert.ok(wanted.length > 1, 'a leaderboard of one is none');
  return wanted;
}

async function checkLeaderboard(tab, scheme) {
  const wins = ({ won }) => `${won} ${won === 1 ? 'win' : 'wins'}`;
  const [first] = await checkRanks(tab, `/leaderboards/${game}?limit=50`, wins);
  const choose = (name, value) => tab.evaluate(`{ const one = document.querySelector('[name="${name}"]'); one.value = ${JSON.stringify(value)}; one.dispatchEvent(new Event('change', { bubbles: true })); }`);
  await choose('by', 'openskill');
  await checkRanks(tab, `/leaderboards/${game}?limit=50&by=openskill`, ({ floor }) => floor.toFixed(2).replace('-', '−'));
  assert.match(await tab.evaluate('location.hash'), /by=openskill/);
  await choose('around', first[1]);
  await tab.until(`document.querySelector('.rank[aria-current] a')?.textContent === ${JSON.stringify(first[1])}`);
  await choose('around', '');
  await choose('by', 'won');
  await checkRanks(tab, `/leaderboards/${game}?limit=50`, wins);
  await tab.checkSound(scheme);
}

async function checkPlayer(tab, scheme, player) {
  await tab.until("document.querySelector('.player-page:not([hidden])') && document.querySelector('.rating-line') && document.querySelectorAll('.deed').length > 0 && document.querySelectorAll('.rival').length > 0");
  const of = `?game=${game}`;
  const shown = await tab.evaluate(`({
    counts: Object.fromEntries([...document.querySelectorAll('.record-counts [data-count]')].map((one) => [one.dataset.count, Number(one.querySelector('strong').textContent)])),
    matches: Number(document.querySelector('.rating-line').dataset.matches),
    form: [...document.querySelectorAll('.form [data-result]')].map((one) => one.textContent).join(''),
    deeds: document.querySelectorAll('.deed').length,
    rivals: [...document.querySelectorAll('.rival a')].map((one) => one.textContent),
    name: document.querySelector('h1').textContent,
  })`);
  const { won, lost, drawn } = await read(`/players/${player}/statistics${of}`);
  assert.deepEqual(shown.counts, { won, drawn, lost }, 'record');
  const { history } = await read(`/players/${player}/ratings${of}&system=glicko-2&limit=1000`);
  assert.equal(shown.matches, history.length, 'matches in the chart');
  const { activities, next } = await read(`/players/${player}/activity${of}`);
  const letters = { match_won: 'W', match_lost: 'L', match_drawn: 'D' };
  const decided = new Set(activities.filter((one) => one.event_type in letters).map((one) => one.source_id));
  const told = activities.filter((one) => one.event_type !== 'match_played' || !decided.has(one.source_id));
  assert.equal(shown.deeds, told.length, 'activities of the first page, but that was played what has a result');
  const results = activities.map((one) => letters[one.event_type]).filter(Boolean).slice(0, 10).reverse().join('');
  assert.equal(shown.form, results, 'form');
  const { opponents } = await read(`/players/${player}/versus${of}&limit=8`);
  assert.deepEqual(shown.rivals, opponents.map(({ against }) => against), 'opponents');
  if (next !== undefined) {
    await tab.click('.deeds-card > .button');
    await tab.until(`document.querySelectorAll('.deed').length > ${told.length}`);
  }
  await checkHover(tab);
  await tab.checkSound(scheme);
}

/** Pointing at the chart tells what the rating was. */
async function checkHover(tab) {
  const { x, y } = await tab.evaluate(`(() => {
    document.querySelector('.rating-chart').scrollIntoView({ block: 'center' });
    const { x, y, width, height } = document.querySelector('.rating-chart').getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  })()`);
  await tab.page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  await tab.until(`!document.querySelector('.tip').hidden && /±/.test(document.querySelector('.tip').textContent)`);
  await tab.page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 1, y: 1 });
  await tab.until(`document.querySelector('.tip').hidden`);
  await tab.evaluate('scrollTo(0, 0)');
}

/** These are expected here, now and later; the browser notes each as an error. */
function forgive(tab, ...statuses) {
  const isForgiven = (problem) => statuses.some((status) => problem.startsWith(`${status} for `) || problem.includes(`status of ${status}`));
  const problems = tab.problems.filter((problem) => !isForgiven(problem));
  const push = (problem) => (isForgiven(problem) ? problems.length : Array.prototype.push.call(problems, problem));
  tab.problems = Object.defineProperty(problems, 'push', { value: push });
}

async function checkHidden(tab, scheme) {
  await tab.until(`document.querySelector('.waiting .refusal')?.textContent.includes('Only the player sees this')`);
  // A token that this server does not take stays out, and the dialog says why.
  await tab.click('.refusal .button');
  await tab.fill('dialog [name="token"]', 'a.b.c');
  await tab.evaluate(`document.querySelector('dialog form').requestSubmit()`);
  await tab.until(`document.querySelector('dialog .problem')?.textContent.length > 10`);
  assert.equal(await tab.evaluate(`sessionStorage.getItem('matchwire.token')`), null, 'a token that is refused is kept');
  await tab.evaluate(`document.querySelector('dialog').close()`);
  forgive(tab, 401, 403);
  await tab.checkSound(scheme);
}

async function checkFriends(tab, scheme) {
  await tab.until(`document.querySelector('.refusal[data-status="401"]')`);
  forgive(tab, 401);
  await tab.checkSound(scheme);
}

async function checkEmpty(tab, scheme) {
  await tab.until(`/^Nobody has won/.test(document.querySelector('.board-note')?.textContent)`);
  await tab.checkSound(scheme);
}

/** Whoever stands in a match's scoreboard leads to their page. */
async function checkLink(tab, scheme) {
  await tab.until(`/^#player\\/./.test(document.querySelector('.board .player-link')?.getAttribute('href'))`);
  await tab.click('.board .player-link');
  await tab.until(`document.querySelector('.player-head')`);
  await tab.until(`document.querySelector('.player-page:not([hidden]), .waiting:not([hidden]) .refusal')`);
  await tab.checkSound(scheme);
}

function cases(player) {
  const each = (size, scheme) => [
    { name: 'leaderboard', path: `#leaderboard/${game}`, check: checkLeaderboard },
    { name: 'player', path: `#player/${player}`, check: (tab) => checkPlayer(tab, scheme, player) },
    { name: 'player-hidden', path: '#player/nobody-of-that-name', check: checkHidden },
    { name: 'leaderboard-friends', path: `#leaderboard/${game}?among=friends`, check: checkFriends },
    { name: 'leaderboard-empty', path: '#leaderboard/x-nothing', check: checkEmpty },
    ...(options.match ? [{ name: 'player-link', path: `#/${options.match}/1`, check: checkLink }] : []),
  ].map((one) => ({ ...one, name: `${one.name}-${size.width}-${scheme}`, size, scheme }));
  return SIZES.flatMap((size) => SCHEMES.flatMap((scheme) => each(size, scheme)));
}

async function main() {
  if (options.screenshots) await mkdir(options.screenshots, { recursive: true });
  const { players } = await read(`/leaderboards/${game}`);
  const first = players.find(({ player }) => player);
  assert.ok(first, `nobody who is to be seen has won anything in ${game} on this server`);
  const browser = await Chromium.launch(options.chromium);
  const all = cases(first.player);
  let failures = 0;
  try {
    for (const { name, path, size, scheme, check } of all) {
      const tab = await Tab.open(browser, new URL(`/console${path}`, base), size, scheme);
      try {
        await check(tab, scheme);
        console.log(`ok      ${name}`);
      } catch (error) {
        failures += 1;
        console.error(`FAILED  ${name}: ${error.message}`);
      }
      await tab.screenshot(options.screenshots, name);
      await tab.page.close();
    }
  } finally {
    await browser.close();
  }
  if (failures > 0) throw new Error(`${failures} of ${all.length} cases failed`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
