/**
 * The line over a map's page that says what it is part of: the score in maps, the chance to win the
 * match, and the way to the other maps.
 * @module series_strip
 */

import { oneMatch } from './api.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { eventWords, hasSeriesScore, scoreInOrder } from './series.js';
import { mapName, percent, status, teamName } from './words.js';

const EVERY_MS = 5_000;

/**
 * @param {string} match
 * @param {number} current the map that is shown
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function seriesStrip(match, current) {
  const tabs = h('nav', { class: 'tabs', 'aria-label': 'Maps of the match' });
  const words = h('span', { class: 'series-words' });
  const line = h('div', { class: 'series-line' }, words,
    h('span', { class: 'series-links' }, h('a', { class: 'button', href: `#/${match}/series` }, 'Match'), h('a', { class: 'button', href: `#/${match}/${current}/referee` }, 'Referee')));
  const node = h('div', { class: 'series-strip' }, line, tabs);
  const read = async () => {
    if (document.hidden) return;
    const found = await oneMatch(match);
    // A game without maps has one only.
    tabs.hidden = !found?.maps.length || (found.maps.length < 2 && found.maps[0].game === 'football');
    if (!found) return;
    showWords(words, found);
    keyed(tabs, found.maps, (summary) => String(summary.map), tab, (link, summary) => showTab(link, summary, found, current));
  };
  read();
  const timer = setInterval(read, EVERY_MS);
  return { node, close: () => clearInterval(timer) };
}

const tab = () => h('a', { class: 'tab' }, h('span', { class: 'tab-name' }), h('strong'), h('span', { class: 'chip small' }));

function showTab(link, summary, { match, standing }, current) {
  const [name, score, chip] = link.children;
  setAttribute(link, 'href', `#/${match}/${summary.map}`);
  setAttribute(link, 'aria-current', summary.map === current ? 'page' : null);
  setText(name, summary.map_name ? mapName(summary.map_name) : `Map ${summary.map}`);
  setText(score, summary.status === 'scheduled' ? '' : scoreInOrder(standing, summary).join(':'));
  setText(chip, status(summary.status));
  setAttribute(chip, 'data-status', summary.status);
}

function showWords(element, found) {
  const { series, standing } = found;
  const parts = [eventWords(series), series?.best_of && `Best of ${series.best_of}`].filter(Boolean).map((text) => h('span', { class: 'quiet' }, text));
  if (hasSeriesScore(found)) parts.push(h('span', { class: 'series-score' }, h('bdi', {}, teamName(standing, 0)), h('strong', {}, ` ${standing.score.join(':')} `), h('bdi', {}, teamName(standing, 1))));
  if (standing?.odds && hasSeriesScore(found) && standing.status !== 'ended') parts.push(h('span', { class: 'quiet' }, 'to win the match ', ...[0, 1].map((team) => h('b', { class: 'series-odds', 'data-team': team }, percent(standing.odds[team])))));
  const said = parts.map((part) => part.textContent).join('|');
  if (element.dataset.said === said) return;
  element.dataset.said = said;
  element.replaceChildren(...parts);
}
