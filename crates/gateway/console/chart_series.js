/**
 * The numbers behind the win-probability chart: which points are drawn, where rounds begin, the
 * path. No drawing.
 * @module chart_series
 */

/** Up to so many predictions each is a point of its own. */
export const MAX_POINTS = 2000;

/**
 * The indexes of the predictions that are drawn: all of them up to {@link MAX_POINTS}; beyond, of
 * each stretch of equal length the lowest and the highest, so that no peak is lost.
 * @param {{map: number[]}[]} predictions
 * @param {number} [most]
 * @returns {number[]}
 */
export function sample(predictions, most = MAX_POINTS) {
  const count = predictions.length;
  if (count <= most) return predictions.map((_, index) => index);
  const stretches = Math.floor(most / 2) - 1;
  const kept = new Set([0, count - 1]);
  for (let n = 0; n < stretches; n += 1) {
    const from = Math.floor((n * count) / stretches);
    const to = Math.floor(((n + 1) * count) / stretches);
    let [low, high] = [from, from];
    for (let index = from; index < to; index += 1) {
      if (predictions[index].map[0] < predictions[low].map[0]) low = index;
      if (predictions[index].map[0] > predictions[high].map[0]) high = index;
    }
    kept.add(low).add(high);
  }
  return [...kept].sort((a, b) => a - b);
}

/**
 * The stretches of predictions of one round each; what was before the first round is round 0.
 * @param {{round_no: number}[]} predictions
 * @returns {{round: number, from: number, to: number}[]} indexes, both inclusive
 */
export function rounds(predictions) {
  const spans = [];
  predictions.forEach(({ round_no: round = 0 }, index) => {
    if (spans.at(-1)?.round === round) spans.at(-1).to = index;
    else spans.push({ round, from: index, to: index });
  });
  return spans;
}

/**
 * Where a chart's values are on the screen.
 * @param {{width: number, height: number, top: number, right: number, bottom: number, left: number, count: number}} box
 * @returns {{x: (index: number) => number, y: (p: number) => number, indexAt: (x: number) => number}}
 */
export function scales({ width, height, top, right, bottom, left, count }) {
  const span = Math.max(1, count - 1);
  const inner = width - left - right;
  return {
    x: (index) => left + (index / span) * inner,
    y: (p) => top + (1 - p) * (height - top - bottom),
    indexAt: (x) => Math.max(0, Math.min(count - 1, Math.round(((x - left) / inner) * span))),
  };
}

/**
 * A path through points.
 * @param {[number, number][]} points
 * @returns {string}
 */
export function line(points) {
  return points.map(([x, y], index) => `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}
