/**
 * What did not fit in a feed: gaps, late parts, people whom nobody announced.
 * @module anomalies
 */

import { h, keyed, setText } from './dom.js';

/** Each kind in words; others stand as they are called. */
const KINDS = {
  gap: 'gap in the feed', late: 'late', score_mismatch: 'scores differ', stats_mismatch: 'statistics differ',
  dead_player: 'dead player acts', too_many_players: 'too many people', unreadable: 'not readable', wrong_game: 'of another game',
  not_correctable: 'corrects nothing', reopened: 'result open again', disagreement: 'sources differ', veto_too_long: 'veto too long',
};

/**
 * @returns {{node: HTMLElement, update: (state: Object) => void}}
 */
export function anomalyList() {
  const summary = h('summary');
  const list = h('ol', { class: 'anomalies' });
  const node = h('details', { class: 'card anomaly-card', hidden: '' }, summary, list);
  return {
    node,
    update({ anomalies = [], anomaly_count: count = anomalies.length }) {
      node.hidden = count === 0;
      if (count === 0) return;
      const more = count > anomalies.length ? `, the first ${anomalies.length} shown` : '';
      setText(summary, `${count} ${count === 1 ? 'anomaly' : 'anomalies'} in the feed${more}`);
      keyed(list, anomalies, (item) => JSON.stringify(item), draw);
    },
  };
}

function draw({ seq, kind, detail }) {
  return h('li', {}, h('code', {}, `#${seq}`), h('span', { class: 'tag' }, KINDS[kind] ?? String(kind).replaceAll('_', ' ')), h('bdi', {}, detail));
}
