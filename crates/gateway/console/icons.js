/**
 * The console's pictograms, drawn for a grid of 16 by 16 in the colour of the text.
 * @module icons
 */

import { s } from './dom.js';

const FILLED = {
  elimination:
    'M8 1.4A5.6 5.6 0 0 0 2.4 7c0 1.9 1 3.5 2.4 4.4v1.9a1.2 1.2 0 0 0 1.2 1.2h4a1.2 1.2 0 0 0 1.2-1.2v-1.9A5.3 5.3 0 0 0 13.6 7 5.6 5.6 0 0 0 8 1.4ZM5.7 6a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Zm4.6 0a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Z',
  bomb_exploded:
    'm8 .6 1.5 3.6L12.7 2l-.6 3.8 3.5.5-2.9 2.3 2.1 3.2-3.8-.3-.5 3.9L8 12.4l-2.5 3-.5-3.9-3.8.3 2.1-3.2L.4 6.3l3.5-.5L3.3 2l3.2 2.2L8 .6Z',
  bomb_defused:
    'm8 .9 5.7 2v4.3c0 3.5-2.3 6.2-5.7 7.9-3.4-1.7-5.7-4.4-5.7-7.9V2.9L8 .9Zm-.9 10 4.3-4.4-1.2-1.2-3.1 3.2-1.4-1.4-1.2 1.2 2.6 2.6Z',
  time_ran_out:
    'M8 1.1a6.9 6.9 0 1 0 0 13.8A6.9 6.9 0 0 0 8 1.1Zm.9 3.2v3.4l2.4 2.4-1.2 1.2-2.9-2.9V4.3h1.7Z',
  person:
    'M8 1.4a3.1 3.1 0 1 1 0 6.2 3.1 3.1 0 0 1 0-6.2Zm0 7.2c3.5 0 5.8 1.7 5.8 4.2v1.8H2.2v-1.8c0-2.5 2.3-4.2 5.8-4.2Z',
  other: 'M3 1.2h1.6v1h8.6l-2.1 3.2 2.1 3.2H4.6v6.2H3V1.2Z',
  bomb: 'M3.5 6h2.3V3.2h1.4V6h1.6V1.8h1.4V6h2.3c.6 0 1 .4 1 1v6.5c0 .6-.4 1-1 1h-8c-.6 0-1-.4-1-1V7c0-.6.4-1 1-1Zm1 2.2v1.9h7V8.2h-7Zm0 3.2v1.4H6v-1.4H4.5Zm2.7 0v1.4h1.5v-1.4H7.2Zm2.7 0v1.4h1.5v-1.4H9.9Z',
  flash: 'M9.2.8 3.3 9.2H7l-1.1 6L12.7 6.4H8.6L9.2.8Z',
  star: 'm8 .9 2.1 4.6 5 .6-3.7 3.4 1 5L8 12l-4.4 2.5 1-5L.9 6.1l5-.6L8 .9Z',
  moon: 'M13.6 10.3A6.2 6.2 0 0 1 5.7 2.4a6.2 6.2 0 1 0 7.9 7.9Z',
  auto: 'M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2Zm0 1.7v10.2A5.1 5.1 0 0 1 8 2.9Z',
};

const STROKED = {
  headshot: 'M12 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM8 .8v4.4M8 10.8v4.4M.8 8h4.4M10.8 8h4.4',
  trade: 'M2 5.3h10.5M9.7 2.5l2.8 2.8-2.8 2.8M14 10.7H3.5M6.3 7.9l-2.8 2.8 2.8 2.8',
  sun: 'M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM8 .9v1.6M8 13.5v1.6M.9 8h1.6M13.5 8h1.6M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
};

/** What a round's reason is drawn as. */
const OF_REASON = {
  hostages_rescued: 'person',
  hostages_not_rescued: 'time_ran_out',
  surrender: 'other',
};

/**
 * A pictogram by name, hidden from screen readers: the words stand beside it or in a label.
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const stroked = STROKED[name];
  const path = stroked
    ? s('path', { d: stroked, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' })
    : s('path', { d: FILLED[name] ?? FILLED.other, fill: 'currentColor', 'fill-rule': 'evenodd' });
  return s('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' }, path);
}

/**
 * The pictogram of the reason for which a round was won.
 * @param {string} reason
 * @returns {SVGElement}
 */
export function reasonIcon(reason) {
  return icon(OF_REASON[reason] ?? reason);
}
