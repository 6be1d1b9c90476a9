/**
 * A scoreboard to lay over a broadcast or to put into another page: `/console/embed/{match}/{map}`,
 * on a transparent ground. `?layout=bar` (the default, for a browser source) or `card` (for a frame
 * in a page), `?theme=dark` (the default) or `light`.
 * @module embed
 */

import { events } from './api.js';
import { EventClock, remaining } from './clock.js';
import { h, setAttribute, setText } from './dom.js';
import { follow } from './feed.js';
import { clockText as minuteText, kicksText, stage } from './football_words.js';
import { alivePips, oddsBar } from './hero.js';
import { icon } from './icons.js';
import { clock as clockText, mapName, phase, status, teamName } from './words.js';

const CLOCK_MS = 200;
const LOOK_BACK = 50;

function choice(name, allowed) {
  const asked = new URLSearchParams(location.search).get(name);
  return allowed.includes(asked) ? asked : allowed[0];
}

function side(index) {
  const name = h('bdi', { class: 'name', 'data-team-name': index });
  const pips = h('span', { class: 'pips' });
  const score = h('span', { class: 'score', 'data-score': index });
  const node = h('div', { class: 'team', 'data-team': index }, pips, name, score);
  return {
    node,
    update(state) {
      setAttribute(node, 'data-side', state.teams[index].side);
      setAttribute(node, 'data-lost', state.winner === 1 - index ? '' : null);
      setText(name, teamName(state, index));
      setText(score, state.teams[index].score);
      alivePips(pips, state, index);
    },
  };
}

function centre() {
  const round = h('div', { class: 'round' });
  const time = h('div', { class: 'time' });
  const node = h('div', { class: 'centre' }, round, time);
  return {
    node,
    update(state, nowMs) {
      if (state.game === 'football') {
        setText(round, kicksText(state) || stage(state));
        setText(time, minuteText(state, nowMs));
        return;
      }
      const left = remaining(state, nowMs);
      const isBomb = state.bomb === 'planted' && state.phase === 'round';
      setText(round, state.round > 0 && state.status !== 'ended' ? `Round ${state.round}` : mapName(state.map_name));
      setAttribute(time, 'data-kind', isBomb ? 'bomb' : left?.kind);
      setAttribute(time, 'data-word', left ? null : '');
      const text = left ? clockText(left.seconds) : word(state, isBomb);
      if (time.dataset.shown === `${text}${isBomb}`) return;
      time.dataset.shown = `${text}${isBomb}`;
      time.replaceChildren(...(isBomb ? [icon('bomb')] : []), text);
    },
  };
}

function word(state, isBomb) {
  if (isBomb) return state.bomb_site ?? 'Bomb';
  return (state.status === 'live' && phase(state)) || status(state.status);
}

function start(match, map) {
  setAttribute(document.documentElement, 'data-theme', choice('theme', ['dark', 'light']));
  setAttribute(document.documentElement, 'data-layout', choice('layout', ['bar', 'card']));
  const [teams, middle, odds, time] = [[side(0), side(1)], centre(), oddsBar(), new EventClock()];
  const board = h('div', { class: 'board', hidden: '' }, teams[0].node, middle.node, teams[1].node, odds.node);
  document.getElementById('main').append(board);
  let state = null;
  const draw = () => {
    if (!state) return;
    board.hidden = false;
    teams.forEach((team, index) => team.update(state, index));
    middle.update(state, time.now());
    odds.update(state);
    setAttribute(board, 'data-status', state.status);
    setAttribute(board, 'data-seq', state.seq);
    document.title = `${teamName(state, 0)} ${state.teams[0].score}:${state.teams[1].score} ${teamName(state, 1)}`;
  };
  let scheduled = 0;
  follow(`match/${match}/${map}`, ['events', 'state', 'prediction'], {
    state(next, how) {
      state = next;
      // Events of before tell the time at the match until the next one does.
      if (how === 'snapshot') events(match, map, Math.max(0, next.seq - LOOK_BACK)).then((all) => time.prime(all), () => {});
      scheduled ||= requestAnimationFrame(() => {
        scheduled = 0;
        draw();
      });
    },
    event: (event) => time.observe(event.time),
    connection: (name) => setAttribute(board, 'data-connection', name),
  });
  setInterval(() => state && middle.update(state, time.now()), CLOCK_MS);
}

const [match, map] = location.pathname.split('/').slice(-2);
start(match, map);
