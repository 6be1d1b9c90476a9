/**
 * The page of a match as a whole: who plays, when and where, the score in maps, the veto, the maps.
 * @module series_page
 */

import { matchStats } from './api.js';
import { whyNot } from './commands.js';
import { MatchDesk } from './desk.js';
import { outcomeLine } from './dialog.js';
import { h, keyed, setAttribute, setText } from './dom.js';
import { oddsBar, showChips } from './hero.js';
import { playerStats } from './player_stats.js';
import { askChange } from './schedule_dialog.js';
import { eventWords, groupOf, scoreInOrder, startWords } from './series.js';
import { mapName, resultWords, status, teamName } from './words.js';

const STEPS = { ban: 'bans', pick: 'picks', side: 'chooses a side on', decider: 'Left over' };

/**
 * @param {string} match
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function seriesPage(match, onConnection) {
  const desk = new MatchDesk(match, draw);
  const outcome = outcomeLine();
  const change = h('button', { type: 'button', class: 'button', hidden: '', onclick: () => askChange(match, desk.state ?? {}, tell) }, 'Change …');
  const referee = h('a', { class: 'button', href: `#/${match}/referee` }, 'Referee');
  const stats = playerStats(() => matchStats(match));
  const views = [headCard(), detailsCard(), mapsCard(match), vetoCard(), { node: stats.node, update: (state) => updateStats(stats, state) }];
  const waiting = h('div', { class: 'card waiting' }, h('p', { class: 'quiet' }));
  const page = h('div', { class: 'series-page', hidden: '' }, ...views.map(({ node }) => node));
  const node = h('div', {}, h('div', { class: 'page-head' }, h('h1', {}, match), h('div', { class: 'page-tools' }, change, referee)), waiting, page, outcome.node);

  async function tell(text) {
    outcome.tell({ text });
    await desk.latest();
  }

  function draw() {
    onConnection(desk.connection);
    page.hidden = !desk.state;
    waiting.hidden = !page.hidden;
    setText(waiting.firstChild, desk.isEmpty ? `There is no match ${match} yet.` : 'Connecting …');
    if (page.hidden) return;
    for (const view of views) view.update(desk.state);
    document.title = `${teamName(desk.state, 0)} v ${teamName(desk.state, 1)} · Matchwire`;
  }

  desk.open();
  whyNot().then((why) => {
    change.hidden = why !== null;
  });
  return { node, close: () => desk.close() };
}

/** Over all maps; read when a round has ended on any, or the past was corrected. */
function updateStats(stats, state) {
  const maps = Object.values(state.maps ?? {});
  if (maps.length === 0) return;
  const revision = JSON.stringify(maps.map(({ rounds, ruling, anomalies, players }) => [rounds, ruling, anomalies?.length, Object.values(players ?? {}).map(({ kills }) => kills)]));
  stats.update({ state: { ...state, game: maps[0].game }, revision });
}

function headCard() {
  const teams = [0, 1].map(() => ({ name: h('bdi', { class: 'hero-name' }), score: h('div', { class: 'hero-score' }) }));
  const line = h('div', { class: 'hero-line' });
  const starts = h('div', { class: 'hero-phase' });
  const odds = oddsBar();
  const node = h('section', { class: 'hero card', 'aria-label': 'Match' },
    h('div', { class: 'hero-grid' }, team(teams, 0), h('div', { class: 'hero-centre' }, line, starts), team(teams, 1)), odds.node);
  return {
    node,
    update(state) {
      teams.forEach(({ name, score }, index) => {
        setText(name, teamName(state, index));
        setText(score, state.status === 'scheduled' ? '' : state.teams[index].score);
        setAttribute(score.parentElement, 'data-won', state.winner === index ? '' : null);
        setAttribute(score.parentElement, 'data-lost', state.winner === 1 - index ? '' : null);
      });
      // A match of unknown length is over for whoever looks once no map is on.
      const isOn = groupOf({ maps: Object.values(state.maps ?? {}), series: state, standing: state }) === 'live';
      const shown = state.status === 'live' && !isOn ? { ...state, status: 'ended' } : state;
      showChips(line, shown);
      setText(starts, state.status === 'ended' ? resultWords(state, 'match') : state.status === 'scheduled' ? startWords(state.starts) : 'Maps won');
      odds.update({ teams: state.teams, status: state.status, prediction: { map: state.status === 'scheduled' ? undefined : state.odds } }, 'match');
    },
  };
}

function team(teams, index) {
  const { name, score } = teams[index];
  return h('div', { class: 'hero-team', 'data-team': index }, h('div', { class: 'hero-who' }, name), score);
}

function detailsCard() {
  const list = h('dl', { class: 'details' });
  const node = h('section', { class: 'card details-card', 'aria-label': 'Fixture' }, h('h2', {}, 'Fixture'), list);
  return {
    node,
    update(state) {
      const rows = [
        ['Start', state.starts ? startWords(state.starts) : ''], ['Tournament', eventWords(state)], ['Format', state.best_of ? `Best of ${state.best_of}` : ''],
        ['Game', state.game], ['Server', state.server],
        ...[0, 1].map((index) => [`Line-up of ${teamName(state, index)}`, lineUp(state.teams[index])]),
        ['Why', state.ruling?.reason],
      ].filter(([, value]) => value && value.length > 0);
      keyed(list, rows, ([name, value]) => `${name}/${value}`, ([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, ...(Array.isArray(value) ? value.map(playerLink) : [h('bdi', {}, value)]))));
      node.hidden = rows.length === 0;
    },
  };
}

const lineUp = ({ players = {} }) => Object.entries(players).map(([id, { name }]) => ({ id, name: name ?? id, toString: () => `${id} ${name}` }));

const playerLink = ({ id, name }) => h('a', { class: 'player-link line-up', href: `#player/${id}` }, h('bdi', {}, name));

function mapsCard(match) {
  const list = h('ol', { class: 'series-maps' });
  const node = h('section', { class: 'card details-card', 'aria-label': 'Maps' }, h('h2', {}, 'Maps'), list);
  return {
    node,
    update(state) {
      const own = Object.entries(state.maps ?? {}).map(([number, map]) => ({ number, map }));
      node.hidden = own.length === 0;
      keyed(list, own, ({ number }) => number, ({ number }) => h('li', {}, h('a', { class: 'series-map', href: `#/${match}/${number}` }, h('span'), h('strong'), h('span', { class: 'chip small' }))),
        (item, { number, map }) => {
          const [name, score, chip] = item.firstChild.children;
          setText(name, map.map_name ? mapName(map.map_name) : `Map ${number}`);
          setText(score, map.status === 'scheduled' ? '' : scoreInOrder(state, map).join(':'));
          setText(chip, status(map.status));
          setAttribute(chip, 'data-status', map.status);
        });
    },
  };
}

function vetoCard() {
  const list = h('ol', { class: 'veto' });
  const node = h('section', { class: 'card details-card', 'aria-label': 'Veto' }, h('h2', {}, 'Veto'), list);
  return {
    node,
    update(state) {
      const steps = Object.entries(state.veto ?? {});
      node.hidden = steps.length === 0;
      keyed(list, steps, (step) => JSON.stringify([step, state.teams.map(({ name }) => name)]), ([, step]) => h('li', { 'data-action': step.action },
        h('bdi', {}, step.team === undefined ? '' : teamName(state, step.team)), ` ${STEPS[step.action] ?? step.action} `, h('strong', {}, mapName(step.map_name)), step.side ? `, ${step.side}` : ''));
    },
  };
}
