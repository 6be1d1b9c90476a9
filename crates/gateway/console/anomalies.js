/**
 * What did not fit in a feed: gaps, late parts, people whom nobody announced.
 * @module anomalies
 */

import { h, keyed, setText } from './dom.js';

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
  return h('li', {}, h('code', {}, `#${seq}`), h('span', { class: 'tag' }, String(kind).replaceAll('_', ' ')), h('bdi', {}, detail));
}
