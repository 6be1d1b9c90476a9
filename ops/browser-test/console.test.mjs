/**
 * The browser test of the console: opens the list, the calibration, the page of one map and its embedded
 * scoreboard in headless Chromium, wide and narrow, light and dark, and compares what is shown with what the
 * API says. Needs Node 20 or later, a Chromium, and a running server that has the match.
 *
 *   node ops/browser-test/console.test.mjs --url http://127.0.0.1:8080 --chromium /usr/bin/chromium \
 *     --match demo --map 1 [--rows 10] [--screenshots DIR]
 *
 * `--rows 0` asks for as many scoreboard rows as the state has players, whatever their number.
 * Exits 1 with a message for each failure. It waits for conditions, at most 20 s each.
 */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';

import { Chromium } from './chromium.mjs';
import { Tab } from './tab.mjs';

const SIZES = [{ width: 1600, height: 1000 }, { width: 360, height: 740 }];
const SCHEMES = ['dark', 'light'];
/** The chart draws each prediction up to this; beyond, the extremes of equal stretches. */
const MAX_POINTS = 2000;

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' }, chromium: { type: 'string', default: '/usr/bin/chromium' },
    match: { type: 'string' }, map: { type: 'string', default: '1' },
    rows: { type: 'string', default: '10' }, screenshots: { type: 'string' },
  },
});
if (!options.url || !options.match) {
  console.error('usage: console.test.mjs --url URL --match MATCH [--map N] [--chromium PATH] [--rows N] [--screenshots DIR]');
  process.exit(2);
}
const base = new URL(options.url);
const mapPath = `/api/v1/matches/${options.match}/maps/${options.map}`;

async function read(path) {
  const response = await fetch(new URL(path, base));
  assert.equal(response.status, 200, `GET ${path} answered ${response.status}`);
  return response.json();
}

async function readPredictions() {
  const all = [];
  for (let after, more = true; more;) {
    const page = await read(`${mapPath}/predictions?limit=1000${after === undefined ? '' : `&after=${after}`}`);
    all.push(...page.predictions);
    more = page.predictions.length > 0 && page.next !== undefined && page.next !== null && page.next !== after;
    after = page.next;
  }
  return all;
}

/** The predictions that count: a round that goes back voids the later ones (a restart, a reload). */
function counting(predictions) {
  const kept = [];
  for (const prediction of predictions) {
    const { round_no: round } = prediction;
    while (kept.length > 0 && (kept.at(-1).round_no > round || (round === 0 && kept.at(-1).round_no === 0))) kept.pop();
    kept.push(prediction);
  }
  return kept;
}

/** What the page of a map shows, read in one go so that all of it is of one state. */
const SHOWN = `(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const text = (selector) => all(selector).map((node) => node.textContent);
  const line = document.querySelector('.chart .line');
  return {
    seq: Number(document.querySelector('.map-page').dataset.seq),
    names: text('.hero [data-team-name]'), scores: text('.hero [data-score]').map(Number),
    players: all('.board tbody tr').map((row) => [row.dataset.key, Number(row.querySelector('td.col-kills').textContent), Number(row.querySelector('td.col-deaths').textContent)]),
    rounds: all('.round[data-round]').map((cell) => Number(cell.dataset.round)),
    winners: all('.won[data-side]').map((won) => [Number(won.parentElement.dataset.round), Number(won.dataset.team), won.dataset.side]),
    buys: all('.bought svg').map((buy) => [Number(buy.closest('.round').dataset.round), Number(buy.parentElement.dataset.team), buy.dataset.buy]),
    clutches: all('.round:has(.clutch-mark)').map((cell) => Number(cell.dataset.round)),
    drawn: (line.getAttribute('d').match(/[ML]/g) ?? []).length,
    points: Number(line.dataset.points), predictions: Number(line.dataset.predictions), predictedSeq: Number(line.dataset.seq),
  };
})()`;

function checkBoard(shown, state) {
  const players = Object.entries(state.players)
    .filter(([, player]) => player.team !== undefined && (player.role ?? 'player') === 'player')
    .filter(([, player]) => player.connected || player.kills + player.deaths + player.assists > 0)
    .map(([id, player]) => [id, player.kills, player.deaths]);
  const byId = ([a], [b]) => (a < b ? -1 : 1);
  assert.deepEqual(shown.players.toSorted(byId), players.sort(byId), 'scoreboard rows: player, kills, deaths');
  if (Number(options.rows) > 0) assert.equal(shown.players.length, Number(options.rows), 'scoreboard rows');
}

function checkRounds(shown, state) {
  const rounds = Object.keys(state.rounds).map(Number).sort((a, b) => a - b);
  assert.deepEqual(shown.rounds, rounds, 'rounds in the history');
  const winners = rounds.map((number) => [number, state.rounds[number].winner, state.rounds[number].side]);
  assert.deepEqual(shown.winners, winners, 'winner and side of every round');
  const buys = rounds.flatMap((number) => (state.rounds[number].economy ?? []).map(({ buy }, team) => [number, team, buy]));
  assert.deepEqual(shown.buys, buys, 'what each team had bought');
  assert.deepEqual(shown.clutches, rounds.filter((number) => state.rounds[number].clutches?.some(({ won }) => won)), 'rounds that one player won alone');
}

async function checkChart(shown) {
  const expected = counting((await readPredictions()).filter(({ seq }) => seq <= shown.predictedSeq)).length;
  assert.equal(shown.predictions, expected, 'predictions in the chart');
  assert.equal(shown.drawn, shown.points, 'points of the path');
  if (expected <= MAX_POINTS) assert.equal(shown.points, expected, 'a point for each prediction');
  else assert.ok(shown.points <= MAX_POINTS && shown.points > MAX_POINTS / 3, `${shown.points} points for ${expected} predictions`);
}

async function checkMap(tab, scheme) {
  await tab.until(`document.querySelector('.map-page:not([hidden])')?.dataset.seq && document.querySelector('.chart .line')`);
  await tab.until(`['live', 'resumed'].includes(document.getElementById('connection').dataset.connection)`);
  await tab.until(`document.querySelectorAll('.stage-p50').length >= 5`);
  const shown = await tab.evaluate(SHOWN);
  const state = await read(`${mapPath}?at_seq=${shown.seq}`);
  assert.equal(state.seq, shown.seq, 'the state as of the event that the page shows');
  assert.deepEqual(shown.scores, state.teams.map((team) => team.score), 'score');
  state.teams.forEach((team, index) => team.name && assert.equal(shown.names[index], team.name, 'team name'));
  checkBoard(shown, state);
  checkRounds(shown, state);
  await checkChart(shown);
  await checkHover(tab);
  await tab.checkSound(scheme);
}

/** Pointing at the chart tells the round and both chances. */
async function checkHover(tab) {
  const { x, y } = await tab.evaluate(`(() => {
    document.querySelector('.chart').scrollIntoView({ block: 'center' });
    const { x, y, width, height } = document.querySelector('.chart').getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  })()`);
  await tab.page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  await tab.until(`!document.querySelector('.tip').hidden && /%/.test(document.querySelector('.tip').textContent)`);
  await tab.page.call('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 1, y: 1 });
  await tab.until(`document.querySelector('.tip').hidden`);
  await tab.evaluate('scrollTo(0, 0)');
}

async function checkList(tab, scheme) {
  await tab.until(`document.querySelector('.matches a[href="#/${options.match}/${options.map}"]')`);
  await tab.checkSound(scheme);
}

async function checkEmbed(tab) {
  await tab.until(`document.querySelector('.board:not([hidden])')?.dataset.seq`);
  const shown = await tab.evaluate(`({
    seq: Number(document.querySelector('.board').dataset.seq),
    names: [...document.querySelectorAll('[data-team-name]')].map((node) => node.textContent),
    scores: [...document.querySelectorAll('[data-score]')].map((node) => Number(node.textContent)),
    ground: getComputedStyle(document.body).backgroundColor,
  })`);
  const state = await read(`${mapPath}?at_seq=${shown.seq}`);
  assert.deepEqual(shown.scores, state.teams.map((team) => team.score), 'score of the embedded board');
  state.teams.forEach((team, index) => team.name && assert.equal(shown.names[index], team.name, 'team name of the embedded board'));
  assert.equal(shown.ground, 'rgba(0, 0, 0, 0)', 'the ground of the embedded board is to be transparent');
  await tab.checkSound();
}

/** What the page of the calibration shows, by game and target. */
const CALIBRATION = `Object.fromEntries([...document.querySelectorAll('.calibration-card')].map((card) => [card.dataset.target, {
  figures: [...card.querySelectorAll('tbody tr')].map((row) => [
    row.querySelector('.model').textContent, Boolean(row.querySelector('.chip')), row.querySelector('.about').textContent.split(' ')[0],
    ...[...row.querySelectorAll('td')].map((cell) => cell.textContent),
  ]),
  dots: card.querySelectorAll('.dot').length,
}]))`;

/** The same from what the API says: each model's figures, and a point for each bin that has predictions. */
function calibrationOf(rows) {
  const told = ({ model, shadow, predictions, brier, log_loss: logLoss, ece }) => [model, shadow, predictions.toLocaleString('en'), ...[brier, logLoss, ece].map((n) => n.toFixed(3))];
  const keyOf = ({ game, target }) => `${game}/${target}`;
  return Object.fromEntries([...new Set(rows.map(keyOf))].map((key) => {
    const own = rows.filter((row) => keyOf(row) === key);
    const bins = own.flatMap(({ reliability }) => reliability).flatMap((diagram) => diagram.bins);
    return [key, { figures: own.toSorted((a, b) => a.shadow - b.shadow).map(told), dots: bins.filter(({ count }) => count > 0).length }];
  }));
}

async function checkCalibration(tab, scheme) {
  // A match that is being played adds to it, so the page and the API agree now and then.
  const until = Date.now() + 20_000;
  for (;;) {
    const wanted = calibrationOf((await read('/api/v1/calibration')).calibration);
    const shown = await tab.evaluate(CALIBRATION);
    if (isDeepStrictEqual(shown, wanted)) break;
    if (Date.now() > until) assert.deepEqual(shown, wanted, 'calibration');
  }
  await tab.until("document.querySelector('.calibration-card, .waiting:not([hidden])')");
  await tab.checkSound(scheme);
}

function cases() {
  const page = `/console#/${options.match}/${options.map}`;
  const embed = `/console/embed/${options.match}/${options.map}`;
  return SIZES.flatMap((size) => SCHEMES.flatMap((scheme) => [
    { name: `list-${size.width}-${scheme}`, path: '/console', size, scheme, check: checkList },
    { name: `calibration-${size.width}-${scheme}`, path: '/console#calibration', size, scheme, check: checkCalibration },
    { name: `map-${size.width}-${scheme}`, path: page, size, scheme, check: checkMap },
    { name: `embed-${size.width}-${scheme}`, path: `${embed}?theme=${scheme}&layout=${scheme === 'dark' ? 'bar' : 'card'}`, size, scheme, check: checkEmbed },
  ]));
}

async function main() {
  if (options.screenshots) await mkdir(options.screenshots, { recursive: true });
  const browser = await Chromium.launch(options.chromium);
  let failures = 0;
  try {
    for (const { name, path, size, scheme, check } of cases()) {
      const tab = await Tab.open(browser, new URL(path, base), size, scheme);
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
  if (failures > 0) throw new Error(`${failures} of ${cases().length} cases failed`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
