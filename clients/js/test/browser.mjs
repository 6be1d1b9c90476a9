/**
 * The client in headless Chromium, through a proxy that treats connections badly: both transports in one page,
 * the example, and the console when its line is cut. `MATCHWIRE_BIN` is the server.
 *
 *   node clients/js/test/browser.mjs [--chromium /usr/bin/chromium]
 *
 * Exits 1 with a message for a failure. It waits for conditions.
 */

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';

import { Chromium } from '../../../ops/browser-test/chromium.mjs';
import { Tab } from '../../../ops/browser-test/tab.mjs';
import { QUICK } from './follow.mjs';
import { FILES, followInPage, thrown, toldInPage } from './page.mjs';
import { Proxy } from './proxy.mjs';
import { seed } from './random.mjs';
import { Server, note, until } from './server.mjs';

const { values: options } = parseArgs({ options: { chromium: { type: 'string', default: '/usr/bin/chromium' } } });
const SIZE = { width: 1200, height: 900 };
const BAD = { cutMs: 1_500, delayMs: 4, twice: 0.3 };
const TRANSPORTS = ['websocket', 'sse', 'auto'];

const shown = (id) => `document.getElementById('${id}').textContent`;
async function followsInPage(server, proxy, tab) {
  await followInPage(tab, 'match/demo/1', TRANSPORTS, QUICK);
  await until('the end of the series', () => server.hasSaid('The match is over'));
  const [state, events] = [await server.get('/matches/demo/maps/1'), await server.events('match/demo/1')];
  for (const transport of TRANSPORTS) {
    await tab.until(`told.${transport}.sub.state?.seq === ${state.seq}`);
    const told = await toldInPage(tab, transport);
    assert.deepEqual(told.events.map(({ seq }) => seq), events.map(({ seq }) => seq), `${transport}: every event once and in order`);
    assert.deepEqual(told.events, events);
    assert.deepEqual([told.verified, told.errors], [['chain'], []], transport);
    assert.deepEqual(told.state, state);
    assert.ok(told.statuses.includes('reconnecting'), `${transport} was never cut`);
  }
  assert.ok(proxy.counts.cut > 5 && proxy.counts.twice > 0, JSON.stringify(proxy.counts));
  console.log(`ok      ${events.length} events over each of three clients, ${JSON.stringify(proxy.counts)}`);
}

async function showsExample(server, proxy, tab) {
  proxy.manners = { cutMs: undefined };
  proxy.cutAll();
  // The network is back: no waiting for the next attempt.
  await tab.until(`${shown('status')} === 'reconnecting'`);
  await tab.evaluate(`dispatchEvent(new Event('online'))`);
  await tab.until(`${shown('status')} === 'live' && ${shown('stale')} !== 'never'`);
  await server.post([note('match/demo/1', { spectators: 4_200 }), note('match/demo/1', { spectators: 4_300 })]);
  const { teams, seq } = await server.get('/matches/demo/maps/1');
  await tab.until(`document.querySelector('li')?.value === ${seq} && /4300.*✓/.test(document.querySelector('li').textContent)`);
  await tab.until(`${shown('score')} === ${JSON.stringify(`${teams[0].name} ${teams[0].score}:${teams[1].score} ${teams[1].name}`)}`);
  await tab.until(`/^[0-5] s ago$/.test(${shown('stale')})`);
  console.log('ok      example');
}

async function fallsBack(proxy, tab) {
  proxy.manners = { refuses: true };
  proxy.cutAll();
  await tab.until(`told.auto.live.transport === 'sse' && told.auto.sub.status === 'live'`);
  proxy.manners = { refuses: false };
  proxy.cutAll();
  await tab.until(`told.auto.live.transport === 'websocket' && told.auto.sub.status === 'live'`);
  console.log('ok      event streams where no WebSocket gets through, and back');
}

async function resumesConsole(server, proxy, browser) {
  const { seq, teams } = await server.get('/matches/demo/maps/1');
  const tab = await Tab.open(browser, new URL('/console#/demo/1', proxy.url), SIZE, 'dark');
  const is = (connection) => `document.getElementById('connection')?.dataset.connection === '${connection}'`;
  await tab.until(`${is('live')} && document.querySelector('.map-page:not([hidden])')?.dataset.seq === '${seq}'`);
  proxy.cutAll();
  await tab.until(is('resumed'));
  await tab.until(is('live'));
  proxy.manners = { refusesAll: true };
  proxy.cutAll();
  await tab.until(`/^reconnecting, [0-9]+ s old$/.test(document.getElementById('connection').textContent.trim())`);
  proxy.manners = { refusesAll: false };
  await tab.evaluate(`dispatchEvent(new Event('online'))`);
  await tab.until(is('live'));
  assert.deepEqual(await tab.evaluate(`[...document.querySelectorAll('.hero [data-score]')].map((node) => Number(node.textContent))`), teams.map(({ score }) => score));
  const lists = [...tab.urls.values()].filter((url) => new URL(url).pathname === '/api/v1/matches');
  assert.deepEqual(lists, [], 'the page of a map reads its own match alone');
  assert.deepEqual(thrown(tab), []);
  console.log('ok      console');
}

const server = await Server.start('demo', '--seed', `${seed % 1_000}`, '--speed', '1000');
const proxy = await Proxy.start(server.url, { ...BAD, files: FILES }, seed);
const browser = await Chromium.launch(options.chromium);
try {
  const tab = await Tab.open(browser, new URL('/example.html?topic=match/demo/1', proxy.url), SIZE, 'light');
  await followsInPage(server, proxy, tab);
  await showsExample(server, proxy, tab);
  await fallsBack(proxy, tab);
  assert.deepEqual(thrown(tab), []);
  await resumesConsole(server, proxy, browser);
} catch (error) {
  console.error(`FAILED  ${error.message.slice(0, 4_000)}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await proxy.close();
  await server.stop();
}
