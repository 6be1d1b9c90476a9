/** What a program in TypeScript does with the client; it is compiled, and not run. */

import { type Event, type Live, MatchwireError, type Subscription, connect, mergePatch } from 'matchwire';

const live: Live = connect('http://127.0.0.1:8080', { key: 'mw_1_2', transport: 'auto', verify: true, retry: { firstMs: 100 } });
const seen: Event[] = [];
const sub: Subscription = live.subscribe('match/m1/1', {
  after: 0,
  views: ['events', 'state'],
  onEvent: async (event, { cursor, verified }) => {
    if (verified === 'chain') seen.push(event);
    localStorage.setItem('cursor', cursor);
  },
  onState: (state, how) => console.log(how, state.teams[0].score),
  onPrediction: ({ map }, { seq }) => console.log(seq, map),
  onStatus: (status) => status === 'failed' && live.close(),
  onError: (error) => error instanceof MatchwireError && error.isFinal && console.error(error.code, error.floor?.seq),
});
const stale: number = Math.max(sub.staleMs, live.staleMs);
console.log(stale, sub.status, sub.cursor, mergePatch(sub.state, { a: null }));
// @ts-expect-error there is no such view
live.subscribe('match/m1/1', { views: ['nonsense'] });
sub.close();
