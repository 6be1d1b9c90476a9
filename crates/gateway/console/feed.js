/**
 * What the console follows, over one connection for the whole page, and how that is in the console's words.
 * @module feed
 */

import { connect } from './matchwire.js';

/** How long `resumed` is shown before it is `live` again. */
const RESUMED_MS = 4_000;
/** Errors that say that one may not. */
const REFUSALS = ['closed_4401', 'closed_4403', 'unauthorized', 'forbidden', 'foreign_host', 'foreign_origin'];

const live = connect(location.origin);

/** How old what the page shows is, in milliseconds; Infinity as long as nothing is shown. */
export const staleMs = () => live.staleMs;

/**
 * @typedef {Object} Listener
 * @property {(state: Object, how: 'snapshot'|'update') => void} state the state is new
 * @property {(event: Object) => void} [event] the next event of the stream
 * @property {(prediction: Object) => void} [prediction]
 * @property {(status: 'connecting'|'live'|'reconnecting'|'resumed'|'refused'|'failed') => void} [connection]
 * @property {() => void} [empty] the stream has no events yet
 * @property {() => void} [resumed] the line was cut and events that were missed follow
 */

/**
 * Follows a topic until it is closed.
 * @param {string} topic `match/m1/1`
 * @param {('events'|'state'|'prediction')[]} views
 * @param {Listener} listener
 * @returns {{close: () => void}}
 */
export function follow(topic, views, listener) {
  let settling;
  let wasCut = false;
  let sub;
  const onStatus = (status) => {
    clearTimeout(settling);
    if (status === 'reconnecting') {
      wasCut = true;
      listener.connection?.('reconnecting');
      return;
    }
    if (status !== 'live') return;
    if (sub.head === 0) listener.empty?.();
    listener.connection?.(wasCut ? 'resumed' : 'live');
    if (!wasCut) return;
    wasCut = false;
    listener.resumed?.();
    settling = setTimeout(() => listener.connection?.('live'), RESUMED_MS);
  };
  const begin = () => {
    sub = live.subscribe(topic, {
      views, onStatus, onState: listener.state, onEvent: listener.event, onPrediction: listener.prediction,
      onError(error) {
        if (!error.isFinal) return;
        // Who was away for longer than events are kept begins with a snapshot.
        if (error.code === 'trimmed') begin();
        else listener.connection?.(REFUSALS.includes(error.code) ? 'refused' : 'failed');
      },
    });
  };
  listener.connection?.('connecting');
  begin();
  return {
    close() {
      clearTimeout(settling);
      sub.close();
    },
  };
}
