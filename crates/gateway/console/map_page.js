/**
 * The page of one map of a match: its parts, put together and kept in step with the model.
 * @module map_page
 */

import { anomalyList } from './anomalies.js';
import { mapStats } from './api.js';
import { chart } from './chart.js';
import { h, setAttribute } from './dom.js';
import { sendingHelp } from './help.js';
import { hero } from './hero.js';
import { killFeed } from './kill_feed.js';
import { MapModel } from './map_model.js';
import { playerStats } from './player_stats.js';
import { roundHistory } from './round_history.js';
import { scoreboard } from './scoreboard.js';
import { seriesStrip } from './series_strip.js';
import { teamName } from './words.js';

const CLOCK_MS = 200;

/**
 * @param {string} match
 * @param {number} map
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function mapPage(match, map, onConnection) {
  const views = { head: hero(), rounds: roundHistory(), feed: killFeed(), chart: chart(), anomalies: anomalyList(), stats: playerStats(() => mapStats(match, map)) };
  const boards = [scoreboard(0), scoreboard(1)];
  const strip = seriesStrip(match, map);
  const waiting = h('div', { class: 'card waiting' });
  const page = h('div', { class: 'map-page', hidden: '' }, views.head.node, views.anomalies.node, views.rounds.node,
    h('div', { class: 'boards' }, ...boards.map(({ node }) => node)), views.chart.node, views.feed.node, views.stats.node);
  const node = h('div', {}, strip.node, waiting, page);

  const draw = () => {
    onConnection(model.connection);
    const { state, isEmpty } = model;
    page.hidden = isEmpty || !state;
    waiting.hidden = !page.hidden;
    if (page.hidden) {
      showWaiting(waiting, isEmpty ? 'empty' : model.connection, match, map);
      return;
    }
    views.head.update(model);
    views.rounds.update(state);
    views.feed.update(model);
    views.chart.update(model);
    views.anomalies.update(state);
    views.stats.update(model);
    for (const board of boards) board.update(state);
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
  const ticking = setInterval(() => model.state && views.head.tick(model), CLOCK_MS);
  model.open();
  return {
    node,
    close() {
      clearInterval(ticking);
      cancelAnimationFrame(scheduled);
      strip.close();
      views.chart.close();
      model.close();
    },
  };
}

const WAITING = {
  connecting: 'Connecting …',
  reconnecting: 'The server does not answer; trying again …',
  refused: 'This match may not be read without a key.',
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
