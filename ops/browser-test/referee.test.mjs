/**
 * The browser test of the referee's page and of fixtures: schedules a match, plays a few rounds of it
 * over the API, and corrects, pauses, forfeits and confirms in headless Chromium, comparing what is
 * shown with what the API says. Needs what `console.test.mjs` needs, but for a match: it makes its own.
 *
 *   node ops/browser-test/referee.test.mjs --url http://127.0.0.1:8080 --chromium /usr/bin/chromium [--screenshots DIR]
 */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { Chromium } from './chromium.mjs';
import { Tab } from './tab.mjs';

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 380, height: 780 };

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, chromium: { type: 'string', default: '/usr/bin/chromium' }, screenshots: { type: 'string' } },
});
if (!options.url) {
  console.error('usage: referee.test.mjs --url URL [--chromium PATH] [--screenshots DIR]');
  process.exit(2);
}
const base = new URL(options.url);
/** A name of its own, so that the test can be run again on the same server. */
const match = `test-${Date.now().toString(36)}`;
const subject = `match/${match}/1`;
const TEAMS = ['Copper Foxes', 'Tidal Wolves'];

async function read(path) {
  const response = await fetch(new URL(`/api/v1${path}`, base));
  assert.equal(response.status, 200, `GET ${path} answered ${response.status}`);
  return response.json();
}

const state = () => read(`/matches/${match}/maps/1`);
const whole = () => read(`/matches/${match}`);
const events = async (of = subject) => (await read(`/events?subject=${of}&limit=1000`)).events;

let sent = 0;
const began = Date.now();

/** Sends events of play, one second apart; answers their seqs. */
const play = (...facts) => playOn(subject, facts);

async function playOn(subject, facts) {
  const lines = facts.map(([type, data = {}]) => {
    sent += 1;
    return JSON.stringify({ specversion: '1.0', id: `play-${sent}`, source: 'test', subject, type, time: new Date(began + sent * 1000).toISOString(), data });
  });
  const response = await fetch(new URL('/api/v1/events', base), { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: lines.join('\n') });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.results.map(({ seq }) => seq);
}

const kill = (killer, victim, weapon = 'ak47') => ['player.killed', { killer, victim, weapon }];
const PLAYERS = [['r1', 'rook', 'CT'], ['r2', 'finch', 'CT'], ['r3', 'adder', 'T'], ['r4', 'newt', 'T']];

/** A map with two rounds that are over and one that is played; answers the seqs of two kills. */
async function playRounds() {
  await play(['map.loaded', { map_name: 'de_nuke' }], ...PLAYERS.map(([player, name, side]) => ['player.joined', { player, name, side }]),
    ['team.named', { side: 'CT', name: TEAMS[0] }], ['team.named', { side: 'T', name: TEAMS[1] }],
    ['match.started', { map_name: 'de_nuke' }], ['round.started'], kill('r1', 'r3'), kill('r2', 'r4'),
    ['round.ended', { winner: 'CT', reason: 'elimination' }], ['freeze.started'], ['round.started'], kill('r3', 'r1'), kill('r4', 'r2'));
  const [round] = await play(['round.ended', { winner: 'T', reason: 'elimination' }]);
  const [, , first, second] = await play(['freeze.started'], ['round.started'], kill('r1', 'r3'), kill('r2', 'r4', 'awp'));
  return { round, first, second };
}

const has = (selector, text) => `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)})`;
const killsOf = (player) => `document.querySelector('.board tr[data-key="${player}"] td.col-kills')?.textContent`;
const row = (seq) => `.event[data-key="${seq}"]`;

/** Goes to a button by what it says, and presses it. */
async function press(tab, scope, label) {
  const found = `[...document.querySelectorAll(${JSON.stringify(`${scope} button`)})].find((one) => one.textContent.startsWith(${JSON.stringify(label)}) && !one.hidden && !one.disabled)`;
  await tab.until(found);
  await tab.evaluate(`{ const button = ${found}; button.focus(); button.click(); }`);
}

const submit = (tab) => tab.click('dialog button[type="submit"]');

/** The dialog has gone, the focus is back, and the page says what came of it. */
async function came(tab, words) {
  await tab.until(`!document.querySelector('dialog') && ${has('.outcome p', words)}`);
  assert.notEqual(await tab.evaluate('document.activeElement.tagName'), 'BODY', 'the focus goes back into the page');
}

async function schedules(tab) {
  await press(tab, '.page-tools', 'Schedule');
  await tab.until(`document.activeElement.closest('dialog')`);
  await tab.fill('dialog input[name="referee"]', 'no name');
  await tab.fill('dialog input[name="match"]', match);
  await tab.fill('dialog input[name="team0"]', TEAMS[0]);
  await tab.fill('dialog input[name="team1"]', TEAMS[1]);
  await tab.fill('dialog input[name="starts"]', '2031-05-04T18:30');
  await tab.fill('dialog select[name="best_of"]', '3');
  await tab.fill('dialog input[name="tournament"]', 'spring-cup');
  await tab.fill('dialog textarea[name="players1"]', 'r3 adder\n r4  newt ');
  await submit(tab);
  assert.ok(await tab.evaluate(`document.querySelector('dialog input[name="referee"]').validity.patternMismatch`), 'a name with a space is none');
  await tab.fill('dialog input[name="referee"]', 'anna');
  await submit(tab);
  await tab.until(`location.hash === '#/${match}/series' && ${has('.hero', TEAMS[1])}`);
  const { series } = await whole();
  assert.deepEqual([series.best_of, series.tournament, series.teams.map(({ name }) => name)], [3, 'spring-cup', TEAMS]);
  assert.deepEqual(series.teams[1].players, { r3: { name: 'adder' }, r4: { name: 'newt' } }, 'the line-up');
  const starts = await tab.evaluate(`new Date('2031-05-04T18:30').toISOString()`);
  assert.equal(Date.parse(series.starts), Date.parse(starts), 'the start is in the time of whoever schedules');
  await tab.checkSound('dark');
  await tab.screenshot(options.screenshots, 'series');
}

async function changes(tab) {
  await press(tab, '.page-tools', 'Change');
  await tab.fill('dialog input[name="stage"]', 'Final');
  await submit(tab);
  await came(tab, 'is changed');
  await tab.until(has('.details', 'spring-cup · Final'));
  const [, change] = await events(`match/${match}`);
  assert.deepEqual(change.data, { stage: 'Final' }, 'only what is otherwise is sent');
}

async function listsUpcoming(tab) {
  await tab.go('#/');
  await tab.until(`document.querySelector('[data-group="upcoming"] a[href="#/${match}/series"]')?.textContent.includes('Bo3')`);
  await tab.checkSound('dark');
  await tab.screenshot(options.screenshots, 'list');
}

async function voids(tab, viewer, { first }) {
  await viewer.until(`${killsOf('r1')} === '2'`);
  await tab.go(`#/${match}/1/referee`);
  await press(tab, row(first), 'Void');
  await tab.until(`document.activeElement.closest('dialog') && ${has('dialog blockquote', 'rook kills adder, AK-47')}`);
  await tab.fill('dialog input[name="reason"]', 'after the whistle');
  // A double click is one decision.
  await tab.evaluate(`{ const button = document.querySelector('dialog button[type="submit"]'); button.click(); button.click(); }`);
  await came(tab, `Event ${first} is void: the score stays 1:1`);
  await tab.until(`document.querySelector('${row(first)}[data-void]') && ${has(row(first), 'void by referee/anna')}`);
  assert.equal((await state()).players.r1.kills, 1);
  // The others see it at once: the board, and the feed, where the kill is struck through.
  await viewer.until(`${killsOf('r1')} === '1' && document.querySelector('.feed li[data-void]')`);
  assert.equal((await events()).filter(({ type }) => type === 'event.voided').length, 1, 'a double click');
}

async function amends(tab, viewer, { second }) {
  await press(tab, row(second), 'Amend');
  const killer = '.schema-fields label:first-child select';
  await tab.until(`document.querySelector('${killer}')?.selectedOptions[0].textContent === 'finch · ${TEAMS[0]}'`);
  await submit(tab);
  await tab.until(has('dialog .problem', 'what the event says already'));
  await tab.fill(killer, '"r1"');
  await tab.until(`document.querySelectorAll('dialog [data-changed]').length === 1 && ${has('dialog p[aria-live]', 'rook kills newt, AWP')}`);
  await tab.screenshot(options.screenshots, 'amend');
  await loseNextAnswer(tab);
  await submit(tab);
  await tab.until(has('dialog .problem', 'will not count twice'));
  await submit(tab);
  await came(tab, 'It was so already');
  await tab.until(`${has(`${row(second)} s`, 'finch kills newt')} && ${has(`${row(second)} .event-now`, 'rook kills newt')}`);
  const { players } = await state();
  assert.deepEqual([players.r1.kills, players.r2.kills], [2, 1]);
  assert.equal((await events()).filter(({ type }) => type === 'event.amended').length, 1, 'a lost answer');
  await viewer.until(`${killsOf('r1')} === '2' && ${killsOf('r2')} === '1'`);
}

/** The next event is taken, and the page does not hear of it. */
const loseNextAnswer = (tab) => tab.evaluate(`{
  const real = window.fetch;
  window.fetch = async (...request) => {
    const answer = await real(...request);
    if (request[1]?.method !== 'POST') return answer;
    window.fetch = real;
    throw new TypeError('lost');
  };
}`);

async function takesBack(tab, { first }) {
  await press(tab, row(first), 'Take back');
  await submit(tab);
  await came(tab, 'is taken back');
  await tab.until(`!document.querySelector('${row(first)}[data-void]')`);
  assert.equal((await state()).players.r1.kills, 3);
  // And once more, with the same words: that is another decision.
  await press(tab, row(first), 'Void');
  await tab.fill('dialog input[name="reason"]', 'after the whistle');
  await submit(tab);
  await tab.until(`!document.querySelector('dialog') && document.querySelector('${row(first)}[data-void]')`);
  assert.equal((await state()).players.r1.kills, 2);
}

async function voidsRound(tab, { round }) {
  await press(tab, row(round), 'Void');
  await submit(tab);
  await came(tab, `Event ${round} is void: the score is now 1:0`);
  await tab.until(`document.querySelector('.stand-score[data-score="1"]').textContent === '0'`);
}

async function pauses(tab, viewer) {
  await press(tab, '.action-buttons', 'Pause');
  await tab.evaluate(`document.querySelector('dialog input[name="side"][value="T"]').click()`);
  await loseNextAnswer(tab);
  await submit(tab);
  await tab.until(has('dialog .problem', 'will not count twice'));
  // The page knows by its feed what its own question did.
  await viewer.until(has('.hero', 'Paused'));
  await submit(tab);
  await came(tab, 'Play is paused. It was so already.');
  assert.equal((await events()).filter(({ type }) => type === 'match.paused').length, 1, 'a lost answer');
  assert.deepEqual((await state()).pause, { reason: 'technical', team: 1 });
  await viewer.until(has('.hero-phase', `Technical pause · ${TEAMS[1]}`));
  await press(tab, '.action-buttons', 'Resume');
  await submit(tab);
  await came(tab, 'Play goes on');
  assert.equal((await state()).status, 'live');
}

async function refuses(tab, { second }) {
  await press(tab, row(second), 'Amend');
  await tab.click('dialog label.inline input');
  await tab.fill('dialog textarea.code[rows="8"]', '{"type":"bomb.licked","data":{}}');
  const problems = tab.problems.length;
  await submit(tab);
  await tab.until(has('dialog .problem', 'no such type'));
  // What the server refuses it refuses with a status that the browser notes.
  tab.problems.splice(problems);
  await press(tab, 'dialog', 'Cancel');
  await tab.until(`!document.querySelector('dialog') && document.activeElement.closest('${row(second)}')`);
}

async function forfeits(tab, viewer) {
  await press(tab, '.action-buttons', 'Forfeit');
  await tab.evaluate(`document.querySelector('dialog input[name="team"][value="0"]').click()`);
  await submit(tab);
  await tab.until(has('dialog button[data-armed]', `Yes: ${TEAMS[0]} forfeit`));
  assert.equal((await state()).status, 'live', 'the first click only asks');
  await submit(tab);
  await came(tab, `${TEAMS[1]} win`);
  const { status, winner, ruling } = await state();
  assert.deepEqual([status, winner, ruling.kind], ['ended', 1, 'forfeited']);
  await viewer.until(`${has('.hero', 'Forfeited')} && ${has('.hero-phase', `${TEAMS[1]} win the map`)}`);
}

async function confirms(tab, viewer) {
  const { seq } = await state();
  await press(tab, '.action-buttons', 'Confirm');
  await tab.until(has('dialog', `as of event ${seq}`));
  await submit(tab);
  await came(tab, `confirmed as of event ${seq}`);
  assert.equal((await state()).ruling.confirmed, true);
  await tab.until(`[...document.querySelectorAll('.action-buttons button')].find((one) => one.textContent.startsWith('Confirm')).disabled`);
  await viewer.until(has('.hero', 'Confirmed'));
  await tab.checkSound('dark');
  await tab.screenshot(options.screenshots, 'referee');
}

/** The table of statistics is what the API says, and is sorted by a column's head. */
async function showsStatistics(tab, viewer) {
  const { stats } = await read(`/matches/${match}/maps/1/stats`);
  const expected = Object.entries(stats.players).map(([id, player]) => [id, String(player.kills), `${Math.round(player.kast * 100)}%`]);
  const shown = `[...document.querySelectorAll('.stats tbody tr')].map((row) => [row.dataset.key, row.children[1].textContent, row.children[4].textContent])`;
  await viewer.until(`JSON.stringify(${shown}.sort()) === ${JSON.stringify(JSON.stringify(expected.sort()))}`);
  const kills = () => viewer.evaluate(`${shown}.map(([, kills]) => Number(kills))`);
  await viewer.click('.stats [data-sort="kills"] button');
  assert.deepEqual(await kills(), (await kills()).toSorted((a, b) => b - a), 'most kills first');
  await viewer.click('.stats [data-sort="kills"] button');
  assert.deepEqual(await kills(), (await kills()).toSorted((a, b) => a - b), 'fewest kills first');
  assert.equal(await viewer.evaluate(`document.querySelector('.stats [data-sort="kills"]').ariaSort`), 'ascending');
}

/** A goal that is void, in a game of another shape. */
async function voidsGoal(tab) {
  const [goal] = (await playOn(`match/${match}-cup/1`, [
    ['lineup.told', { team: 0, name: 'Harbour Town', players: [{ player: 'h9', name: 'wren' }] }], ['lineup.told', { team: 1, name: 'Mill Rovers' }],
    ['period.started', { period: 'first_half' }], ['goal.scored', { team: 0, scorer: 'h9' }],
  ])).slice(-1);
  await tab.go(`#/${match}-cup/1/referee`);
  await tab.until(has(row(goal), 'Goal for Harbour Town, wren'));
  await press(tab, row(goal), 'Void');
  await submit(tab);
  await came(tab, `Event ${goal} is void: the score is now 0:0`);
  await tab.until(`document.querySelector('.stand-score[data-score="0"]').textContent === '0'`);
  await tab.checkSound('dark');
}

/** While one is in the list its rows stay where they are, and what is new is counted. */
async function holds(tab, viewer, { first }) {
  await tab.evaluate(`document.querySelector('.segment').focus()`);
  await tab.until(`document.querySelector('.newer').hidden`);
  await tab.evaluate(`document.querySelector('${row(first)} button').focus()`);
  const top = `document.querySelector('.event').dataset.key`;
  const before = await tab.evaluate(top);
  await play(['bomb.planted', { player: 'r3', site: 'A' }]);
  await tab.until(`!document.querySelector('.newer').hidden && ${has('.newer', '1 newer event')}`);
  assert.equal(await tab.evaluate(top), before);
  await tab.click('.newer');
  await tab.until(`document.querySelector('.newer').hidden && ${has('.event', 'adder plants the bomb at A')}`);
}

/** The series follows its map: its score, and the result that a referee sets for it. */
async function setsMatchResult(tab) {
  await tab.go(`#/${match}/referee`);
  await tab.until(`${has('.stand-team[data-team="1"]', TEAMS[1])} && document.querySelector('.stand-score[data-score="1"]').textContent === '1'`);
  await press(tab, '.action-buttons', 'Set result');
  await tab.fill('dialog input[name="score1"]', '2');
  await submit(tab);
  await came(tab, 'the score is now 0:2');
  const { standing } = await whole();
  assert.deepEqual([standing.status, standing.score, standing.winner], ['ended', [0, 2], 1]);
}

/** Who may only read is told so, and has no buttons. To the server this page is another site's. */
async function onlyReads(browser) {
  const tab = await Tab.open(browser, new URL(`/console#/${match}/referee`, base), NARROW, 'dark', 'http://elsewhere.example');
  await tab.until(`document.querySelector('.event') && ${has('.denied', 'can only be read from here')}`);
  const buttons = await tab.evaluate(`[...document.querySelectorAll('.referee-page button')].filter((one) => one.checkVisibility()).map((one) => one.textContent)`);
  assert.deepEqual(buttons.filter((text) => !text.startsWith('#')), ['All', 'Decisive', 'Rulings']);
  assert.ok(!await tab.evaluate(has('.event', 'null')));
  tab.problems = tab.problems.filter((problem) => !/403/.test(problem));
  await tab.checkSound('dark');
  await tab.page.close();
}

/** Every page holds together on a phone, too. */
async function fits(browser) {
  for (const [name, hash] of [['list', ''], ['series', `#/${match}/series`], ['map', `#/${match}/1`], ['referee', `#/${match}/1/referee`], ['match-referee', `#/${match}/referee`]]) {
    const tab = await Tab.open(browser, new URL(`/console${hash}`, base), NARROW, 'light');
    await tab.until(`document.querySelector('.match, .series-page:not([hidden]), .map-page:not([hidden]), .event')`);
    await tab.checkSound('light');
    await tab.screenshot(options.screenshots, `${name}-narrow`);
    await tab.page.close();
  }
}

async function main() {
  if (options.screenshots) await mkdir(options.screenshots, { recursive: true });
  const browser = await Chromium.launch(options.chromium);
  try {
    const tab = await Tab.open(browser, new URL('/console', base), WIDE, 'dark');
    await schedules(tab);
    await changes(tab);
    await listsUpcoming(tab);
    const seqs = await playRounds();
    const viewer = await Tab.open(browser, new URL(`/console#/${match}/1`, base), WIDE, 'light');
    const steps = { voids, amends, takesBack: (page) => takesBack(page, seqs), voidsRound: (page) => voidsRound(page, seqs), holds, pauses, refuses: (page) => refuses(page, seqs), forfeits, confirms, showsStatistics, setsMatchResult, voidsGoal };
    for (const [name, step] of Object.entries(steps)) {
      await step(tab, viewer, seqs);
      console.log(`ok      ${name}`);
    }
    await viewer.checkSound('light');
    await viewer.screenshot(options.screenshots, 'map');
    await onlyReads(browser);
    console.log('ok      onlyReads');
    await fits(browser);
    console.log('ok      narrow');
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(`FAILED  ${error.message}`);
  process.exitCode = 1;
});
