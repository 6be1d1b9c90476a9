/**
 * The client in a page of Chromium: follows a topic there, and tells what it was told.
 */

import { fileURLToPath } from 'node:url';

const own = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** What a proxy serves itself, so that page and API are of one origin. */
export const FILES = { '/example.html': own('example.html'), '/matchwire.js': own('matchwire.js') };

/**
 * Follows a topic from the beginning, with each transport, and notes all that is told in `told`, in the page.
 * @param {import('../../../ops/browser-test/tab.mjs').Tab} tab
 * @param {string} topic
 * @param {string[]} transports
 * @param {Object} [retry]
 */
export const followInPage = (tab, topic, transports, retry = {}) => tab.evaluate(`(async () => {
  const { connect } = await import('/matchwire.js');
  window.told = Object.fromEntries(${JSON.stringify(transports)}.map((transport) => {
    const one = { events: [], verified: [], errors: [], statuses: [] };
    one.live = connect(location.origin, { transport, retry: ${JSON.stringify(retry)} });
    one.sub = one.live.subscribe(${JSON.stringify(topic)}, {
      after: 0,
      onEvent(event, { verified }) { one.events.push(event); one.verified.push(verified); },
      onStatus: (status) => { one.statuses.push(status); },
      onError: (error) => { one.errors.push(error.code + ' ' + error.message); },
    });
    return [transport, one];
  }));
})()`);

/** What was told of a topic in the page, with the state that is held. */
export const toldInPage = (tab, transport) => tab.evaluate(`(({ events, verified, errors, statuses, sub }) => ({
  events, verified: [...new Set(verified)], errors, statuses, state: sub.state, status: sub.status, staleMs: sub.staleMs,
}))(told.${transport})`);

/** What is cut is told in the browser's own log; what a script throws must not be. */
export const thrown = ({ problems }) => problems.filter((problem) => problem.startsWith('exception'));
