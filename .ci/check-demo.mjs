// Follows a demo over HTTP until its first map is over, and checks that the score, the rounds, the
// events and the prediction tell the same. Takes the file that the demo's output goes to.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 180_000;
const started = Date.now();

// Asks until the answer is good; what was wrong last is in the error.
async function until(what, ask) {
  for (let last; ; await pause(100)) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() - started > DEADLINE_MS) throw new Error(`no ${what} in time`, { cause: last });
  }
}

const log = process.argv[2];
const base = await until('address in the output', async () =>
  (await readFile(log, 'utf8')).match(/http:\/\/127\.0\.0\.1:\d+/)?.[0]);

async function get(path) {
  const response = await fetch(base + path, { signal: AbortSignal.timeout(10_000) });
  assert.equal(response.status, 200, path);
  return response;
}
const json = async (path) => (await get(`/api/v1${path}`)).json();

await until('readiness', () => get('/readyz'));
const { match } = await until('match', async () => (await json('/matches')).matches[0]);
const map = await until('end of the first map', async () => {
  const state = await json(`/matches/${match}/maps/1`);
  return state.status === 'ended' ? state : undefined;
});

const rounds = Object.values(map.rounds);
const score = map.teams.map((team) => team.score);
const won = [0, 1].map((team) => rounds.filter((round) => round.winner === team).length);
assert.deepEqual(won, score, 'the rounds add up to the score');
assert.ok(Math.max(...score) >= 13 && score[0] !== score[1], `a map is won, not ${score}`);
assert.equal(score[map.winner], Math.max(...score), 'the winner has more');

const [, home, a, b, away] = await until('result in the output', async () =>
  (await readFile(log, 'utf8')).match(/^map 1, \S+: (.+) (\d+):(\d+) (.+)$/m) ?? undefined);
const told = { [home]: Number(a), [away]: Number(b) };
for (const team of map.teams) assert.equal(team.score, told[team.name], 'the score that was played');

const [first, second] = map.prediction.map;
assert.ok(Math.abs(first + second - 1) < 1e-6, 'probabilities sum to 1');

let seq = 0;
for (let page; (page = await json(`/events?subject=match/${match}/1&after=${seq}&limit=1000`)).events.length; ) {
  for (const event of page.events) assert.equal(event.seq, ++seq, 'no gap');
}
assert.ok(seq >= map.seq, 'every event that is in the state is in the stream');
assert.deepEqual(await json(`/matches/${match}/maps/1?at_seq=${map.seq}`), map, 'at_seq');
assert.match(await (await get('/console')).text(), /<html/i);

console.log(`${match}, map 1: ${score.join(':')} in ${rounds.length} rounds, ${seq} events`);
