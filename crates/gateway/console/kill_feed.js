/**
 * The kill feed: the last plays, latest on top, with the end of each round between them.
 * @module kill_feed
 */

import { h, keyed } from './dom.js';
import { icon, reasonIcon } from './icons.js';
import { roundOf, sideIn } from './reading.js';
import { playerName, reason, teamName, weapon } from './words.js';

/** So many plays are drawn. */
const SHOWN = 60;

const SPECIALS = {
  penetrated: ['wall', 'Through a wall'],
  through_smoke: ['smoke', 'Through smoke'],
  no_scope: ['no scope', 'Without the scope'],
  attacker_blind: ['blind', 'While blinded'],
};

const CAUSES = { suicide: 'took their own life', bomb: 'died to the bomb', world: 'died' };

/**
 * @returns {{node: HTMLElement, update: (model: import('./map_model.js').MapModel) => void}}
 */
export function killFeed() {
  const list = h('ol', { class: 'feed', tabindex: '0', 'aria-label': 'Kills and round ends, latest first' });
  const empty = h('p', { class: 'quiet feed-empty' }, 'No kills yet');
  const node = h('section', { class: 'card feed-card', 'aria-label': 'Kill feed' }, h('h2', {}, 'Kill feed'), list, empty);
  return {
    node,
    update({ state, play, predictions }) {
      const items = play.latest().slice(0, SHOWN).map((item) => describe(item, state, predictions));
      empty.hidden = items.length > 0;
      list.hidden = items.length === 0;
      keyed(list, items, ({ key }) => key, (item) => item.draw());
    },
  };
}

/** A play with what is drawn of it; the key changes with everything that the drawing shows. */
function describe(item, state, predictions) {
  const round = roundOf(predictions, item.seq) ?? state.round;
  const person = (id) => {
    const team = state.players?.[id]?.team;
    return { name: playerName(state, id), side: sideIn(state, team, round) };
  };
  if (item.kind === 'round') return roundEnd(item, state, round);
  if (item.kind === 'bomb') return bombPlay(item, item.player ? person(item.player) : null);
  if (item.kind === 'death') return death(item, person(item.victim));
  return kill(item, { killer: person(item.killer), victim: person(item.victim), helper: helperOf(item, person) });
}

function helperOf(item, person) {
  const id = item.assister ?? item.flash_assister;
  return id ? { ...person(id), flash: !item.assister } : null;
}

const keyOf = ({ seq, isVoid, isAmended }, ...parts) => JSON.stringify([seq, isVoid, isAmended, ...parts]);

/** What a referee said of a play: struck through, or another one than was told. */
const marks = ({ isVoid, isAmended }) => ({
  'data-void': isVoid ? '' : null,
  title: isVoid ? 'Void by a referee' : isAmended ? 'Amended by a referee' : null,
});

/** The same for those who do not see it. */
function verdict({ isVoid, isAmended }) {
  if (!isVoid && !isAmended) return null;
  return h('span', { class: 'tag verdict' }, isVoid ? 'void' : 'amended');
}

function who({ name, side }, extra = '') {
  return h('bdi', { class: `who ${extra}`, 'data-side': side, title: name }, name);
}

function roundEnd(item, state, round) {
  const result = item.isVoid ? undefined : state.rounds?.[round];
  const side = result?.side ?? item.side;
  const winner = result ? teamName(state, result.winner) : `${side} win`;
  const score = result?.score?.join(':') ?? '';
  return {
    key: keyOf(item, round, winner, score),
    draw: () => h('li', { class: 'feed-round', 'data-side': side, ...marks(item) },
      h('span', { class: 'feed-round-no' }, `R${round}`), reasonIcon(item.reason),
      h('span', { class: 'feed-round-text' }, h('bdi', {}, winner), ` · ${reason(item.reason)}`),
      h('strong', {}, score), verdict(item)),
  };
}

function bombPlay(item, player) {
  const side = item.what === 'defused' ? 'CT' : 'T';
  const text = item.what === 'planted' && item.site ? `planted at ${item.site}` : item.what;
  return {
    key: keyOf(item, player, text),
    draw: () => h('li', { class: 'feed-bomb', 'data-side': side, ...marks(item) },
      icon(item.what === 'defused' ? 'bomb_defused' : 'bomb'),
      h('span', {}, 'Bomb ', text, player ? ' by ' : ''), player ? who({ ...player, side }) : null, verdict(item)),
  };
}

function death(item, victim) {
  return {
    key: keyOf(item, victim),
    draw: () => h('li', { class: 'feed-kill', ...marks(item) }, who(victim, 'victim'),
      h('span', { class: 'quiet' }, CAUSES[item.cause] ?? 'died'), verdict(item)),
  };
}

function kill(item, { killer, victim, helper }) {
  const specials = Object.entries(SPECIALS).filter(([name]) => item[name]);
  const tags = [
    ...(item.team_kill ? [['team kill', 'Killed a teammate']] : []),
    ...specials.map(([, words]) => words),
  ];
  return {
    key: keyOf(item, killer, victim, helper, item.headshot, item.trade, tags),
    draw: () => h('li', { class: 'feed-kill', ...marks(item) },
      who(killer),
      helper ? h('span', { class: 'helper', title: helper.flash ? 'Flash assist' : 'Assist' }, helper.flash ? icon('flash') : '+ ', who(helper)) : null,
      h('span', { class: 'weapon' }, weapon(item.weapon),
        item.headshot ? mark('headshot', 'Headshot') : null),
      who(victim, 'victim'),
      h('span', { class: 'tags' }, verdict(item),
        item.trade ? h('span', { class: 'tag trade', title: 'Avenged a teammate' }, icon('trade'), 'trade') : null,
        ...tags.map(([text, title]) => h('span', { class: 'tag', title }, text)))),
  };
}

function mark(name, label) {
  return h('span', { class: 'mark', role: 'img', 'aria-label': label, title: label }, icon(name));
}
