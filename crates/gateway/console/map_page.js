/**
 * The page of one map of a match: its parts, put together and kept in step with the model.
 * @module map_page
 */

import { anomalyList } from './anomalies.js';
import { csView } from './cs_view.js';
import { h, setAttribute } from './dom.js';
import { footballView } from './football_view.js';
import { sendingHelp } from './help.js';
import { MapModel } from './map_model.js';
import { seriesStrip } from './series_strip.js';
import { teamName } from './words.js';

const CLOCK_MS = 200;

/**
 * What is shown of a game: the head of the page, and what comes below it.
 * @typedef {{head: Element, nodes: Element[], update: (model: MapModel) => void, tick: (model: MapModel) => void, close: () => void}} View
 */

/** The games' views; a game that has none is shown as far as it is like Counter-Strike. */
const VIEWS = { cs2: csView, football: footballView };

/**
 * @param {string} match
 * @param {number} map
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function mapPage(match, map, onConnection) {
  const anomalies = anomalyList();
  const strip = seriesStrip(match, map);
  const waiting = h('div', { class: 'card waiting' });
  const page = h('div', { class: 'map-page', hidden: '' });
  const node = h('div', {}, strip.node, waiting, page);

  /** @type {View|null} */
  let view = null;
  let game;
  // The first event of a game's own tells which one it is.
  const show = (state) => {
    if (view && game === state.game) return;
    view?.close();
    game = state.game;
    view = (VIEWS[game] ?? csView)(match, map);
    page.replaceChildren(view.head, anomalies.node, ...view.nodes);
    setAttribute(page, 'data-game', game);
  };

  const draw = () => {
    onConnection(model.connection);
    const { state, isEmpty } = model;
    page.hidden = isEmpty || !state;
    waiting.hidden = !page.hidden;
    if (page.hidden) {
      showWaiting(waiting, isEmpty ? 'empty' : model.connection, match, map);
      return;
    }
    show(state);
    view.update(model);
    anomalies.update(state);
    setAttribute(page, 'data-seq', state.seq);
    document.title = `${teamName(state, 0)} ${state.teams[0].score}:${state.teams[1].score} ${teamName(state, 1)} · Matchwire`;
  };

  // Many frames may come between two pictures of the screen; one drawing serves them all.
  let scheduled = 0;
  const schedule = () => {
    scheduled ||= requestAnimationFrame(() => {
      scheduled = 0;
      draw();
    });
  };
  const model = new MapModel(match, map, schedule);
  const ticking = setInterval(() => model.state && view?.tick(model), CLOCK_MS);
  model.open();
  return {
    node,
    close() {
      clearInterval(ticking);
      cancelAnimationFrame(scheduled);
      strip.close();
      view?.close();
      model.close();
    },
  };
}

const WAITING = {
  connecting: 'Connecting …',
  reconnecting: 'The server does not answer; trying again …',
  refused: 'This match may not be read without a key.',
  failed: 'This match cannot be followed any more; load the page again.',
};

function showWaiting(element, why, match, map) {
  if (element.dataset.why === why) return;
  element.dataset.why = why;
  element.replaceChildren(...(why === 'empty'
    ? [h('h1', {}, 'Nothing has arrived yet'),
      h('p', { class: 'quiet' }, `Match ${match}, map ${map} is open here and starts by itself with its first event.`),
      sendingHelp(match)]
    : [h('p', { class: 'quiet' }, WAITING[why] ?? WAITING.connecting)]));
}
