/**
 * The client against a real server, through a proxy that treats connections badly. `MATCHWIRE_BIN` is the server
 * (`target/debug/matchwire` otherwise). Where Node has no WebSocket, event streams alone are tested.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { connect } from '../matchwire.js';
import { QUICK, checkStream, follow, of } from './follow.mjs';
import { Proxy } from './proxy.mjs';
import { random, seed } from './random.mjs';
import { Server, note, until } from './server.mjs';

const HAS_SOCKET = typeof WebSocket === 'function';
const TRANSPORTS = HAS_SOCKET ? ['websocket', 'sse'] : ['sse'];
const BAD = { cutMs: 1_500, delayMs: 4, twice: 0.3 };

/** Text for text of the same length, wherever it is in what the server says. */
const swap = (from, to) => (bytes) => Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');

/** Runs a test with a client through a proxy, and ends both. */
async function through(server, manners, options, test) {
  const proxy = await Proxy.start(server.url, manners, seed);
  const live = connect(proxy.url, { retry: QUICK, ...options });
  try {
    await test(live, proxy);
  } finally {
    live.close();
    await proxy.close();
  }
}

describe('a whole series through a bad proxy', () => {
  let server;
  before(async () => { server = await Server.start('demo', '--seed', `${seed % 1_000}`, '--speed', '500'); });
  after(() => server.stop());

  /** A client of each transport with both topics, from the beginning, and one that comes with a snapshot. */
  const followers = async (transport) => {
    const proxy = await Proxy.start(server.url, BAD, seed);
    const live = connect(proxy.url, { retry: QUICK, transport });
    const late = connect(proxy.url, { retry: QUICK, transport });
    const [map, whole, wide] = ['match/demo/1', 'match/demo', 'match/**'].map((topic) => follow(live, topic, { after: 0 }));
    const told = { map, whole, wide, late: null };
    await until('some events', () => told.map.events.length > 100);
    told.late = follow(late, 'match/demo/1');
    return { proxy, told, close: async () => { live.close(); late.close(); await proxy.close(); } };
  };

  it('comes once and in order, with the state that the server has', { timeout: 300_000 }, async () => {
    const all = await Promise.all(TRANSPORTS.map(followers));
    try {
      await until('the end of the series', () => server.hasSaid('The match is over'));
      const { maps } = await server.get('/matches/demo');
      for (const { proxy, told } of all) {
        for (const one of Object.values(told)) await until('the last event', () => one.sub.staleMs < 5_000 && (one.latest['match/demo/1'] ?? one.sub.state?.maps?.[1] ?? one.sub.state)?.seq === maps[1].seq);
        await until('the last map', () => Object.entries(maps).every(([map, { seq }]) => told.whole.sub.state.maps[map]?.seq === seq));
        await checkStream(server, told.map, 'match/demo/1');
        await until('the last map of the pattern', () => Object.entries(maps).every(([map, { seq }]) => told.wide.latest[`match/demo/${map}`]?.seq === seq));
        for (const map of Object.keys(maps)) {
          for (const one of [told.whole, told.wide]) await checkStream(server, one, `match/demo/${map}`);
          assert.deepEqual(told.wide.latest[`match/demo/${map}`], await server.get(`/matches/demo/maps/${map}`));
        }
        for (const { verified } of [told.map, told.whole]) assert.deepEqual([...new Set(verified)], ['chain']);
        // On a busy machine the map may be over when one comes later.
        if (told.late.events.length > 0) {
          const [first, ...rest] = told.late.verified;
          assert.deepEqual([first, ...new Set(rest)], ['leaf', 'chain'], 'of one who comes later the first event has a leaf only');
          const firstSeq = told.late.events[0].seq;
          assert.deepEqual(told.late.events, (await server.events('match/demo/1')).slice(firstSeq - 1));
        }
        assert.equal(told.late.states[0][1], 'snapshot');
        const state = await server.get('/matches/demo/maps/1');
        for (const one of [told.map, told.late]) assert.deepEqual(one.sub.state, state);
        for (const map of Object.keys(maps)) assert.deepEqual(told.whole.sub.state.maps[map], await server.get(`/matches/demo/maps/${map}`));
        assert.deepEqual(told.map.predictions.at(-1).seq, (await server.get('/matches/demo/maps/1/predictions?limit=1000')).predictions.at(-1).seq);
        for (const one of Object.values(told)) assert.deepEqual(one.errors, []);
        assert.ok(proxy.counts.cut >= 3 && proxy.counts.twice >= 1, JSON.stringify(proxy.counts));
        console.log(`${told.map.events.length + told.whole.events.length} events over ${JSON.stringify(proxy.counts)}`);
      }
    } finally {
      // A test that fails must end, too.
      for (const { close } of all) await close();
    }
  });
});

describe('against a server', () => {
  let server;
  let last = 0;
  before(async () => { server = await Server.start('serve', '--admission-target-ms', '10000'); });
  after(() => server.stop());

  /** A stream of its own with so many events. */
  const stream = async (count, data = (n) => ({ n })) => {
    last += 1;
    const subject = `match/m${last}/1`;
    for (let from = 1; from <= count; from += 1_000) {
      await server.post(Array.from({ length: Math.min(1_000, count + 1 - from) }, (_, i) => note(subject, data(from + i))));
    }
    return subject;
  };

  const MANY = 12_000;
  let long;
  before(async () => { long = await stream(MANY); });

  for (const transport of TRANSPORTS) {
    describe(`over ${transport}`, () => {
      it('goes on from a cursor that was kept', () => through(server, {}, { transport }, async (live, proxy) => {
        const subject = await stream(5);
        const kept = [];
        const first = follow(live, subject, { after: 0, onEvent: (_, { cursor }) => { kept.push(cursor); } });
        await until('all', () => first.events.length === 5);
        assert.equal(first.sub.cursor, kept[4]);
        const again = connect(proxy.url, { transport });
        const second = follow(again, subject, { after: kept[2] });
        await until('the rest', () => second.events.length === 2);
        assert.deepEqual(second.events, first.events.slice(3));
        assert.deepEqual(second.verified, ['leaf', 'chain']);
        again.close();
      }));

      it('finds events whose data were changed', () => through(server, { alter: swap('"tone":"low"', '"tone":"LOW"') }, { transport }, async (live) => {
        const subject = await stream(9, (n) => (n < 5 ? { n } : { n, tone: 'low' }));
        const told = follow(live, subject, { after: 0 });
        await until('it fails', () => told.sub.status === 'failed');
        assert.deepEqual(told.events.map(({ seq }) => seq), [1, 2, 3, 4]);
        assert.equal(told.errors.at(-1).code, 'tampered');
        assert.match(told.errors.at(-1).message, /leaf/);
      }));

      it('finds what only the chain shows', () => through(server, { alter: swap('"recordedtime":"2', '"recordedtime":"3') }, { transport }, async (live) => {
        const told = follow(live, await stream(3), { after: 0 });
        await until('it fails', () => told.sub.status === 'failed');
        assert.deepEqual([told.events, told.errors.map(({ code, isFinal }) => [code, isFinal])], [[], [['tampered', true]]]);
        assert.match(told.errors[0].message, /does not follow/);
      }));

      it('tells nothing that was changed, wherever a bit is flipped', async () => {
        const subject = await stream(20, (n) => ({ n, text: `event ${n}` }));
        const truth = await server.events(subject);
        const draw = random(seed);
        const flip = (bytes) => {
          const flipped = Buffer.from(bytes);
          flipped[Math.floor(draw() * bytes.length)] ^= 1 << Math.floor(draw() * 8);
          return flipped;
        };
        const ends = { whole: 0, failed: 0, again: 0 };
        const run = (number) => through(server, { alter: flip }, { transport }, async (live) => {
          const told = follow(live, subject, { after: 0, views: ['events'] });
          await until('an end', () => told.events.length === 20 || told.sub.status === 'failed' || told.statuses.length > 3);
          live.close();
          assert.deepEqual(told.events, truth.slice(0, told.events.length), `run ${number}`);
          assert.deepEqual([...new Set(told.verified)], told.verified.length > 0 ? ['chain'] : []);
          ends[told.events.length === 20 ? 'whole' : told.errors.some(({ isFinal }) => isFinal) ? 'failed' : 'again'] += 1;
        });
        await Promise.all(Array.from({ length: 100 }, (_, number) => run(number)));
        console.log(`${transport} with flipped bits: ${JSON.stringify(ends)}`);
        assert.ok(ends.failed > 0);
      });

      it('asks again for an event that was left out', () => {
        const hide = (bytes, connection) => {
          const [, event] = /"type":"event"(,"topic":"[^"]*","subject":"[^"]*","seq":4,)/.exec(bytes.toString('latin1')) ?? [];
          return event && connection < 3 ? swap(`"type":"event"${event}`, `"type":"evant"${event}`)(bytes) : bytes;
        };
        return through(server, { alter: hide }, { transport }, async (live) => {
          const told = follow(live, await stream(6), { after: 0 });
          await until('all', () => told.events.length === 6);
          assert.deepEqual(told.events.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6]);
          assert.deepEqual([...new Set(told.verified)], ['chain']);
          assert.deepEqual(told.errors.map(({ code, isFinal }) => [code, isFinal]), [['gap', false], ['gap', false]]);
        });
      });

      it('is told when all it holds is void', async () => {
        const other = await Server.start('serve', '--admission-target-ms', '10000');
        await through(server, {}, { transport }, async (live, proxy) => {
          const subject = await stream(4);
          await other.post([note(subject, { n: 'other' })]);
          const told = follow(live, subject, { after: 0 });
          await until('all', () => told.events.length === 4);
          proxy.target = other.url;
          proxy.cutAll();
          await until('a reset', () => told.resets.length === 1);
          await until('a snapshot', () => told.states.at(-1)[1] === 'snapshot' && told.sub.state.seq === 1);
          await other.post([note(subject, { n: 'next' })]);
          await until('the next event', () => told.events.length === 5);
          assert.deepEqual([told.events[4].seq, told.verified[4], told.errors], [2, 'leaf', []]);
        });
        await other.stop();
      });

      it('says how stale it is', () => through(server, {}, { transport }, async (live, proxy) => {
        const told = follow(live, await stream(3));
        assert.equal(told.sub.staleMs, Infinity);
        await until('it is up to date', () => told.sub.staleMs < 1_000);
        proxy.manners = { refusesAll: true };
        proxy.cutAll();
        await until('it is interrupted', () => told.sub.status === 'reconnecting');
        const stale = told.sub.staleMs;
        await until('it grows', () => told.sub.staleMs > stale + 50 && live.staleMs > stale + 50);
        proxy.manners = { refusesAll: false };
        await until('it is up to date again', () => told.sub.status === 'live' && told.sub.staleMs < stale + 50);
        assert.deepEqual(told.statuses, ['live', 'reconnecting', 'live']);
      }));

      it('takes the wait that a server asks for that goes away', () => {
        const drain = '{"type":"drain","retry_ms":1}';
        const text = 'retry: 1\n\n';
        const frame = transport === 'sse' ? Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`) : Buffer.concat([Buffer.from([0x81, drain.length]), Buffer.from(drain)]);
        const alter = (bytes, connection) => (connection === 1 && bytes.includes('"type":"event"') ? Buffer.concat([bytes, frame]) : bytes);
        // Its own wait would be longer than the test.
        return through(server, { alter }, { transport, retry: { firstMs: 1e9, longestMs: 1e9 } }, async (live, proxy) => {
          const subject = await stream(1);
          const told = follow(live, subject, { after: 0 });
          await until('an event', () => told.events.length === 1);
          await server.post([note(subject, {})]);
          await until('another', () => told.events.length === 2);
          proxy.cutAll();
          await server.post([note(subject, {})]);
          await until('a third', () => told.events.length === 3);
        });
      });

      it('leaves topics and takes them up again', () => through(server, {}, { transport }, async (live) => {
        const [one, other] = [await stream(3), await stream(3)];
        const [first, second] = [follow(live, one, { after: 0 }), follow(live, other, { after: 0 })];
        assert.throws(() => live.subscribe(one), /already/);
        await until('all', () => first.events.length === 3 && second.events.length === 3);
        first.sub.close();
        assert.equal(first.sub.status, 'closed');
        const again = follow(live, one, { after: 1 });
        await server.post([note(one, {}), note(other, {})]);
        await until('all again', () => again.events.length === 3 && second.events.length === 4);
        assert.deepEqual([first.events.length, first.errors, second.errors], [3, [], []]);
        assert.deepEqual(again.events.map(({ seq }) => seq), [2, 3, 4]);
      }));

      it('fails for good at what will not be better', () => through(server, {}, { transport }, async (live) => {
        const told = [follow(live, 'nonsense'), follow(live, await stream(1), { after: 'nonsense' }), follow(live, await stream(1), { after: 0, views: ['nonsense'] })];
        const sound = follow(live, await stream(2), { after: 0 });
        await until('they fail', () => told.every(({ sub }) => sub.status === 'failed'));
        await until('the other is well', () => sound.events.length === 2);
        for (const { errors } of told) assert.deepEqual(errors.map(({ isFinal }) => isFinal), [true]);
      }));

      it('does not stop at what a listener throws', () => through(server, {}, { transport }, async (live) => {
        const thrown = [];
        const listeners = process.listeners('uncaughtException');
        process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error.message));
        const told = follow(live, await stream(3), { after: 0, onEvent: ({ seq }) => { throw new Error(`at ${seq}`); } });
        await until('all', () => told.events.length === 3 && thrown.length === 3);
        process.removeAllListeners('uncaughtException');
        for (const listener of listeners) process.on('uncaughtException', listener);
        assert.deepEqual(thrown, ['at 1', 'at 2', 'at 3']);
      }));

      it('waits for a listener that takes its time, and bounds what waits', { timeout: 120_000 }, () => through(server, {}, { transport }, async (live) => {
        let release;
        const held = new Promise((resolve) => { release = resolve; });
        let isBusy = false;
        const onEvent = async () => {
          assert.ok(!isBusy, 'one event at a time');
          isBusy = true;
          await held;
          isBusy = false;
        };
        const told = follow(live, long, { after: 0, views: ['events'], onEvent });
        await until('the first', () => told.events.length === 1);
        await until('the bound', () => told.statuses.includes('reconnecting'));
        assert.equal(told.events.length, 1);
        release();
        await until('all', () => told.events.length === MANY);
        assert.deepEqual(told.events.map(({ seq }) => seq), Array.from({ length: MANY }, (_, i) => i + 1));
        assert.deepEqual([...new Set(told.verified)], ['chain']);
        assert.deepEqual(told.errors, []);
      }));

      it('proves events however they were written', () => through(server, {}, { transport }, async (live) => {
        const subject = await stream(0);
        const texts = ['\n', '\r\n', '\t'].map((space) => JSON.stringify(note(subject, { text: 'a"specversion"}{\\" ü \u{1f3ae}', list: [{ }, { a: [] }] }), null, 1).replaceAll('\n', space));
        for (const body of texts) {
          const response = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body });
          assert.equal(response.status, 200);
        }
        const told = follow(live, subject, { after: 0 });
        await until('all', () => told.events.length === 3 || told.sub.status === 'failed');
        assert.deepEqual([told.errors, told.verified], [[], ['chain', 'chain', 'chain']]);
        await checkStream(server, told, subject);
      }));

      it('can be told not to verify, and to send a key', () => through(server, {}, { transport, verify: false, key: 'mw_1_2' }, async (live, proxy) => {
        const told = follow(live, await stream(2), { after: 0, views: ['events'] });
        await until('all', () => told.events.length === 2);
        assert.deepEqual([told.verified, told.states], [['none', 'none'], []]);
        assert.match(proxy.heads[0], /^authorization: Bearer mw_1_2\r$/im);
      }));
    });
  }

  describe('over a WebSocket alone', { skip: !HAS_SOCKET, concurrency: true }, () => {
    it('changes to an event stream where there is none, and back', () => through(server, {}, {}, async (live, proxy) => {
      const subject = await stream(1);
      const told = follow(live, subject, { after: 0 });
      const next = async (transport) => {
        const count = told.events.length + 1;
        proxy.cutAll();
        await server.post([note(subject, {})]);
        await until(`event ${count} over ${transport}`, () => told.events.length === count && told.sub.status === 'live');
        assert.equal(live.transport, transport);
      };
      await until('the first', () => told.events.length === 1);
      assert.equal(live.transport, 'websocket');
      proxy.manners = { refuses: true };
      await next('sse');
      proxy.manners = { refuses: false };
      await next('websocket');
      assert.deepEqual(told.errors, []);
      assert.deepEqual([...new Set(told.verified)], ['chain']);
    }));

    it('stays with event streams where it never works', () => through(server, { refuses: true }, {}, async (live, proxy) => {
      const subject = await stream(1);
      const told = follow(live, subject, { after: 0 });
      for (let count = 1; count <= 6; count += 1) {
        await until(`event ${count}`, () => told.events.length === count && told.sub.status === 'live');
        proxy.cutAll();
        await server.post([note(subject, {})]);
      }
      await until('the last', () => told.events.length === 7);
      assert.deepEqual([live.transport, proxy.counts.refused], ['sse', 3]);
    }));

    it('leaves a line that has gone silent', () => through(server, { alter: swap('"heartbeat_ms":5000', '"heartbeat_ms": 100') }, { transport: 'websocket' }, async (live, proxy) => {
      const told = follow(live, await stream(1), { after: 0 });
      await until('it connects again', () => proxy.counts.streams >= 2);
      assert.ok(told.statuses.includes('reconnecting'));
      assert.equal(told.events.length, 1);
    }));

    for (const code of [4400, 4401, 4403]) {
      it(`ends at a close with ${code}`, () => {
        const close = Buffer.from([0x88, 2, code >> 8, code & 255]);
        return through(server, { alter: (bytes) => (bytes.includes('"type":"event"') ? Buffer.concat([bytes, close]) : bytes) }, {}, async (live, proxy) => {
          const told = follow(live, await stream(1), { after: 0 });
          await until('it fails', () => told.sub.status === 'failed');
          assert.deepEqual([told.errors.map((error) => error.code), proxy.counts.streams], [[`closed_${code}`], 1]);
        });
      });
    }

    for (const code of [1001, 1011, 1013, 4429]) {
      it(`goes on after a close with ${code}`, () => {
        const close = Buffer.from([0x88, 2, code >> 8, code & 255]);
        const alter = (bytes, connection) => (connection === 1 && bytes.includes('"type":"event"') ? Buffer.concat([bytes, close]) : bytes);
        return through(server, { alter }, { transport: 'websocket' }, async (live) => {
          const subject = await stream(1);
          const told = follow(live, subject, { after: 0 });
          await until('it is cut', () => told.statuses.includes('reconnecting'));
          await server.post([note(subject, {})]);
          await until('the next event', () => told.events.length === 2);
          assert.deepEqual(told.errors, []);
        });
      });
    }
  });

  describe('by heartbeats', { concurrency: true }, () => {
    for (const transport of TRANSPORTS) {
      it(`notices over ${transport} what never came`, () => {
        // The second heartbeat says that there were two events, and it has none.
        const alter = (bytes, connection) => (connection === 1 ? swap('"type":"event"', '"type":"evant"')(bytes) : bytes);
        return through(server, { alter }, { transport }, async (live) => {
          const told = follow(live, await stream(2), { after: 0 });
          await until('both', () => told.events.length === 2);
          assert.ok(told.statuses.includes('reconnecting'));
        });
      });
    }
  });
});

describe('a server that is started again', () => {
  for (const transport of TRANSPORTS) {
    it(`is followed on over ${transport}`, async () => {
      const server = await Server.start('serve');
      await through(server, {}, { transport }, async (live, proxy) => {
        const told = follow(live, 'match/m1/1', { after: 0 });
        for (let round = 1; round <= 3; round += 1) {
          await server.post([note('match/m1/1', { round })]);
          await until('the event', () => told.events.length === round);
          await server.restart();
          proxy.target = server.url;
        }
        await until('it is live', () => told.sub.status === 'live');
        await checkStream(server, told, 'match/m1/1');
        assert.deepEqual([[...new Set(told.verified)], told.errors, told.resets], [['chain'], [], []]);
      });
      await server.stop();
    });
  }
});

describe('ends of a stream', () => {
  it('says that there is no WebSocket', { skip: HAS_SOCKET }, () => {
    assert.throws(() => connect('http://127.0.0.1:1', { transport: 'websocket' }), /no WebSocket/);
  });

  it('of one event stream', async () => {
    const server = await Server.start('serve', '--admission-target-ms', '10000');
    const live = connect(server.url, { retry: QUICK });
    const told = follow(live, 'match/none/1', { after: 0 });
    await until('it is live', () => told.sub.status === 'live');
    assert.deepEqual([told.sub.head, of(told, 'match/none/1')], [0, []]);
    await server.post([note('match/none/1', {})]);
    await until('the first', () => told.events.length === 1);
    live.close();
    assert.deepEqual(told.statuses, ['live', 'closed']);
    await server.stop();
  });
});
