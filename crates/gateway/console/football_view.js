/**
 * What the page of a map shows of football: score and clock, what happened, line-ups, figures, and
 * the chances over the match.
 * @module football_view
 */

import { h, keyed, setAttribute, setText } from './dom.js';
import { footballChart } from './football_chart.js';
import { footballHero } from './football_hero.js';
import { lineUp, minuteText, plays } from './football_words.js';
import { playerName, teamName } from './words.js';

/**
 * @returns {import('./map_page.js').View}
 */
export function footballView() {
  const head = footballHero();
  const [figures, timeline, odds] = [figuresCard(), timelineCard(), footballChart()];
  const lineUps = [lineUpCard(0), lineUpCard(1)];
  return {
    head: head.node,
    nodes: [odds.node, timeline.node, figures.node, h('div', { class: 'boards' }, ...lineUps.map(({ node }) => node))],
    tick: head.tick,
    close: odds.close,
    update(model) {
      head.update(model);
      for (const view of [figures, timeline, ...lineUps]) view.update(model.state);
      odds.update(model);
    },
  };
}

/** Goals, cards and substitutions, the latest first. */
function timelineCard() {
  const list = h('ol', { class: 'feed', tabindex: '0', 'aria-label': 'What happened, the latest first' });
  const empty = h('p', { class: 'quiet feed-empty' }, 'Goals, cards and substitutions stand here');
  const node = h('section', { class: 'card feed-card', 'aria-label': 'Timeline' }, h('h2', {}, 'Timeline'), empty, list);
  return {
    node,
    update(state) {
      const all = plays(state);
      empty.hidden = all.length > 0;
      keyed(list, all, ({ key }) => key, playRow, (row, play) => updatePlay(row, play, state));
    },
  };
}

const playRow = () => h('li', { class: 'play' }, h('span', { class: 'play-minute' }), h('i', { class: 'play-mark' }),
  h('span', { class: 'swatch' }), h('bdi', { class: 'play-who' }), h('bdi', { class: 'play-more' }));

function updatePlay(row, play, state) {
  const [minute, mark, swatch, who, more] = row.children;
  setText(minute, play.kind === 'kick' ? `${play.minute + 1}.` : minuteText(play));
  setAttribute(mark, 'data-kind', markOf(play));
  setAttribute(swatch, 'data-team', play.team);
  const name = (id) => (id === undefined ? teamName(state, play.team) : playerName(state, id));
  const { main, rest } = WORDS[play.kind](play, name);
  setText(who, main);
  setText(more, rest.filter(Boolean).join(' · '));
}

function markOf({ kind, card, scored }) {
  if (kind === 'card') return card;
  if (kind === 'kick') return scored ? 'goal' : 'missed';
  return kind;
}

const OUTCOMES = { saved: 'saved', saved_to_post: 'saved onto the post', off_target: 'off target', woodwork: 'onto the frame' };
const CARDS = { yellow: 'yellow card', second_yellow: 'second yellow card', red: 'red card' };

/** What a row of the timeline says, by kind. */
const WORDS = {
  goal: (goal, name) => ({
    main: name(goal.scorer),
    rest: [`goal, ${goal.score.join(':')}`, goal.own_goal && 'own goal', goal.penalty && 'penalty', goal.assist && `assist ${name(goal.assist)}`],
  }),
  disallowed: (goal, name) => ({ main: name(goal.scorer), rest: ['goal disallowed', goal.reason] }),
  missed: (kick, name) => ({ main: name(kick.player), rest: [`penalty ${OUTCOMES[kick.outcome] ?? 'missed'}`] }),
  card: (card, name) => ({ main: name(card.player), rest: [CARDS[card.card]] }),
  kick: (kick, name) => ({ main: name(kick.player), rest: [kick.scored ? 'kick scored' : 'kick missed'] }),
  substitution: ({ on, off }, name) => ({ main: name(on), rest: [`for ${name(off)}`] }),
};

const FIGURES = [
  { label: 'Possession', value: (team) => team.possession, text: (value) => `${Math.round(value * 100)}%` },
  { label: 'Expected goals', value: (team) => team.xg, text: (value) => value.toFixed(2) },
  { label: 'Shots', value: (team) => team.shots },
  { label: 'On target', value: (team) => team.shots_on_target },
  { label: 'Yellow cards', value: (team) => team.yellow_cards },
  { label: 'Red cards', value: (team) => team.red_cards },
];

/** Both teams' figures beside each other. */
function figuresCard() {
  const list = h('ol', { class: 'figures' });
  const node = h('section', { class: 'card figures-card', 'aria-label': 'Figures' }, list);
  return {
    node,
    update({ teams }) {
      const known = FIGURES.filter(({ value }) => teams.some((team) => value(team) !== undefined));
      keyed(list, known, ({ label }) => label, figureRow, (row, { value, text = String }) => {
        const values = teams.map((team) => value(team) ?? 0);
        const all = values[0] + values[1];
        values.forEach((own, team) => setText(row.querySelector(`[data-value="${team}"]`), text(own)));
        row.style.setProperty('--p', all > 0 ? values[0] / all : 0.5);
        setAttribute(row, 'data-none', all > 0 ? null : '');
      });
    },
  };
}

const figureRow = ({ label }) => h('li', { class: 'figure' }, h('strong', { 'data-value': 0 }), h('span', {}, label), h('strong', { 'data-value': 1 }),
  h('div', { class: 'figure-bar' }, h('i')));

/** A team's line-up. */
function lineUpCard(index) {
  const name = h('bdi');
  const formation = h('span', { class: 'quiet' });
  const list = h('ol', { class: 'line-up' });
  const node = h('section', { class: 'card line-up-card', 'data-team': index, 'aria-label': 'Line-up' },
    h('div', { class: 'card-head' }, h('h2', {}, h('span', { class: 'swatch' }), name), formation), list);
  return {
    node,
    update(state) {
      setText(name, teamName(state, index));
      setText(formation, state.teams[index].formation ?? '');
      const players = lineUp(state, index);
      node.hidden = players.length === 0;
      keyed(list, players, ({ id }) => id, playerRow, (row, player) => updatePlayer(row, player, state));
    },
  };
}

const playerRow = () => h('li', { class: 'lined' }, h('span', { class: 'lined-number' }), h('a', { class: 'lined-name player-link' }, h('bdi')),
  h('span', { class: 'lined-marks' }), h('span', { class: 'lined-position' }), h('span', { class: 'lined-minutes' }));

function updatePlayer(row, player, state) {
  const [number, name, marks, position, minutes] = row.children;
  setText(number, player.number ?? '');
  setText(name.firstChild, playerName(state, player.id));
  setAttribute(name, 'href', `#player/${player.id}`);
  setAttribute(row, 'data-off', player.on_pitch === true ? null : '');
  setAttribute(row, 'data-rank', player.rank);
  const goals = [...Array(Math.min(player.goals, 5)).fill('goal'), ...Array(Math.min(player.own_goals, 5)).fill('own')];
  const second = player.red_cards > 0 && player.yellow_cards > 1;
  const cards = [player.yellow_cards > 0 && 'yellow', second && 'second_yellow', player.red_cards > 0 && !second && 'red'].filter(Boolean);
  const all = [...goals, ...cards].map((kind, i) => ({ key: `${kind}${i}`, kind }));
  keyed(marks, all, ({ key }) => key, ({ kind }) => h('i', { class: 'play-mark', 'data-kind': kind }));
  setText(position, player.position ?? '');
  setText(minutes, player.minutes > 0 ? `${player.minutes}'` : '');
}
