/**
 * Follows the recording of a real match while it is sent, through a proxy that treats connections badly: with this
 * client over each transport, in Chromium too if it is given, and with `matchwire tail` beside it. In the end all must
 * have every event once, in order and proved, and the state that the API has. `MATCHWIRE_BIN` is the server.
 *
 *   node clients/js/test/soak.mjs --recording match.log [--speed 20] [--format cs-log] [--chromium /usr/bin/chromium]
 *
 * Exits 1 with a message for what is wrong.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

import { Chromium } from '../../../ops/browser-test/chromium.mjs';
import { Tab } from '../../../ops/browser-test/tab.mjs';
import { connect } from '../matchwire.js';
import { checkStream, follow } from './follow.mjs';
import { FILES, followInPage, thrown, toldInPage } from './page.mjs';
import { Proxy } from './proxy.mjs';
import { seed } from './random.mjs';
import { BINARY, Server, until } from './server.mjs';

const { values: options } = parseArgs({
  options: { recording: { type: 'string' }, speed: { type: 'string', default: '20' }, format: { type: 'string', default: 'cs-log' }, chromium: { type: 'string' } },
});
if (!options.recording) {
  console.error('usage: soak.mjs --recording FILE [--speed X] [--format FORMAT] [--chromium PATH]');
  process.exit(2);
}
const SUBJECT = 'match/soak/1';
const TELL_MS = 15_000;
/** Cut about every fifteen seconds, so that some lines are healthy for a while and others are not. */
const BAD = { cutMs: 30_000, delayMs: 20, twice: 0.3 };

/** A command of the program, with what it says. */
function run(...args) {
  const child = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ran = { child, out: '', errors: '', code: null };
  child.stdout.setEncoding('utf8').on('data', (text) => { ran.out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { ran.errors += text; });
  child.on('exit', (code, signal) => { ran.code = code ?? signal; });
  return ran;
}

const tailed = ({ out }) => out.split('\n').filter(Boolean).map((line) => JSON.parse(line));

function tell(followers, proxies, sending) {
  const counts = Object.entries(followers).map(([name, { events, sub }]) => `${name} ${events.length} events, ${sub.status}, stale ${sub.staleMs} ms`);
  const cuts = Object.entries(proxies).map(([name, { counts: { streams, cut } }]) => `${name} ${cut} of ${streams} cut`);
  console.log([...counts, ...cuts, sending.code === null ? 'sending' : 'sent'].join('; '));
}

async function check(server, followers, tail) {
  const state = await server.get('/matches/soak/maps/1');
  const events = await server.events(SUBJECT);
  for (const [name, told] of Object.entries(followers)) {
    await until(`${name} has the last event`, () => told.sub.state?.seq === state.seq && told.sub.staleMs < 16_000);
    await checkStream(server, told, SUBJECT);
    assert.deepEqual([...new Set(told.verified)], ['chain'], `${name}: every event is proved`);
    assert.deepEqual(told.sub.state, state, `${name}: the state`);
    assert.deepEqual(told.errors, []);
  }
  await until('tail has the last event', () => tail.ran.code !== null || tailed(tail.ran).at(-1)?.seq === events.at(-1).seq);
  assert.equal(tail.ran.code, null, tail.ran.errors);
  assert.deepEqual(tailed(tail.ran).map(({ seq }) => seq), events.map(({ seq }) => seq), 'tail: every event once and in order');
  return events.length;
}

/** The same in a page, over a WebSocket. */
async function checkPage(server, { tab }) {
  const [state, events] = [await server.get('/matches/soak/maps/1'), await server.events(SUBJECT)];
  await tab.until(`told.websocket.sub.state?.seq === ${state.seq} && told.websocket.sub.staleMs < 16_000`);
  const told = await toldInPage(tab, 'websocket');
  assert.deepEqual(told.events, events, 'chromium: every event once and in order');
  assert.deepEqual([told.state, told.verified, told.errors, thrown(tab)], [state, ['chain'], [], []], 'chromium');
  console.log(`chromium ${told.events.length} events, reconnected ${told.statuses.filter((status) => status === 'reconnecting').length} times`);
}

async function openPage(url) {
  const browser = await Chromium.launch(options.chromium);
  const tab = await Tab.open(browser, new URL('/example.html?topic=match/soak/1', url), { width: 800, height: 600 }, 'light');
  await followInPage(tab, SUBJECT, ['websocket']);
  return { browser, tab };
}

async function main() {
  const transports = typeof WebSocket === 'function' ? ['websocket', 'sse'] : ['sse'];
  const server = await Server.start('serve');
  const proxies = {};
  for (const [index, name] of [...transports, 'tail', 'page'].entries()) proxies[name] = await Proxy.start(server.url, { ...BAD, files: FILES }, seed + index);
  const lives = transports.map((transport) => connect(proxies[transport].url, { transport }));
  const followers = Object.fromEntries(transports.map((name, index) => [name, follow(lives[index], SUBJECT, { after: 0 })]));
  const sending = run('send', options.recording, '--server', server.url, '--match', 'soak', '--map', '1', '--speed', options.speed, '--format', options.format);
  await until('the first event', () => followers[transports[0]].events.length > 0);
  const tail = { ran: run('tail', SUBJECT, '--server', proxies.tail.url, '--after', '0', '--json') };
  let page;
  const telling = setInterval(() => tell(followers, proxies, sending), TELL_MS);
  try {
    page = options.chromium && await openPage(proxies.page.url);
    await new Promise((resolve) => sending.child.once('exit', resolve));
    assert.equal(sending.code, 0, sending.errors);
    const count = await check(server, followers, tail);
    if (page) await checkPage(server, page);
    tell(followers, proxies, sending);
    console.log(`ok: ${count} events, once and in order, proved, the same state everywhere`);
  } finally {
    clearInterval(telling);
    await page?.browser.close();
    for (const live of lives) live.close();
    for (const { child } of [sending, tail.ran]) child.kill();
    for (const proxy of Object.values(proxies)) await proxy.close();
    await server.stop();
  }
}

main().catch((error) => {
  console.error(`FAILED  ${error.message.slice(0, 4_000)}`);
  process.exitCode = 1;
});
