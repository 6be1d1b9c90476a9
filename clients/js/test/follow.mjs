/**
 * Follows a topic and notes all that is told, for the tests.
 */

import assert from 'node:assert/strict';

/** Waits between attempts that do not make a test long. */
export const QUICK = { firstMs: 5, longestMs: 100, healthyMs: 500 };

/**
 * @param {Object} live a client
 * @param {string} topic
 * @param {Object} [options] those of a subscription; a function among them is called after the note is taken
 * @returns {{sub: Object, events: Object[], verified: string[], states: [Object, string][], latest: Object, predictions: Object[], resets: string[], statuses: string[], errors: Error[]}}
 */
export function follow(live, topic, options = {}) {
  const told = { events: [], verified: [], states: [], latest: {}, predictions: [], resets: [], statuses: [], errors: [] };
  told.sub = live.subscribe(topic, {
    ...options,
    onEvent(event, meta) {
      told.events.push(event);
      told.verified.push(meta.verified);
      return options.onEvent?.(event, meta);
    },
    onState(state, how, subject) {
      told.states.push([state, how]);
      told.latest[subject] = state;
    },
    onPrediction: (prediction) => { told.predictions.push(prediction); },
    onReset: (reason) => { told.resets.push(reason); },
    onStatus: (status) => { told.statuses.push(status); },
    onError: (error) => { told.errors.push(error); },
  });
  return told;
}

/** The events of one stream. */
export const of = ({ events }, subject) => events.filter((event) => event.subject === subject);

/** That a stream came as the server has it: every event once and in order, and proved to the first. */
export async function checkStream(server, told, subject) {
  const wanted = await server.events(subject);
  const got = of(told, subject);
  assert.deepEqual(got.map(({ seq }) => seq), wanted.map(({ seq }) => seq), `${subject}: every event once and in order`);
  assert.deepEqual(got, wanted);
}
