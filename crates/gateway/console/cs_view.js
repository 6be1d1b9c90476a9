/**
 * What the page of a map shows of Counter-Strike.
 * @module cs_view
 */

import { mapStats } from './api.js';
import { chart } from './chart.js';
import { h } from './dom.js';
import { hero } from './hero.js';
import { killFeed } from './kill_feed.js';
import { playerStats } from './player_stats.js';
import { roundHistory } from './round_history.js';
import { scoreboard } from './scoreboard.js';

/**
 * @param {string} match
 * @param {number} map
 * @returns {import('./map_page.js').View}
 */
export function csView(match, map) {
  const head = hero();
  const [rounds, feed, odds] = [roundHistory(), killFeed(), chart()];
  const boards = [scoreboard(0), scoreboard(1)];
  const stats = playerStats(() => mapStats(match, map));
  return {
    head: head.node,
    nodes: [rounds.node, h('div', { class: 'boards' }, ...boards.map(({ node }) => node)), odds.node, feed.node, stats.node],
    tick: head.tick,
    close: odds.close,
    update(model) {
      head.update(model);
      rounds.update(model.state);
      feed.update(model);
      odds.update(model);
      stats.update(model);
      for (const board of boards) board.update(model.state);
    },
  };
}
