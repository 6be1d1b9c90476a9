/**
 * Events in words, for those who look through a stream.
 * @module event_words
 */

import { startWords } from './series.js';
import { mapName, pauseReason, playerName, reason, teamName, weapon } from './words.js';

/** What decides a map or a match; the rest is how it came to it. */
const DECISIVE = new Set([
  'player.killed', 'player.died', 'round.ended', 'round.drawn', 'bomb.planted', 'bomb.defused', 'bomb.exploded',
  'score.reported', 'team.scored', 'match.started', 'match.restarting', 'match.reloaded', 'map.loaded', 'map.ended',
  'goal.scored', 'goal.disallowed', 'penalty.missed', 'card.shown', 'shootout.kicked', 'period.started', 'period.ended', 'match.finished',
  'map.won', 'map.vetoed', 'series.started', 'series.ended', 'match.paused', 'match.resumed',
]);

/** What a referee, or whoever is in charge, decides. */
const RULINGS = new Set([
  'event.voided', 'event.amended', 'match.forfeited', 'match.abandoned', 'result.amended',
  'result.confirmed', 'match.scheduled', 'match.cancelled', 'bye.given', 'server.assigned', 'source.switched', 'sources.ranked',
]);

/** Whether an event is a ruling: by its type, or since a referee says so. */
export const isRuling = ({ type, source = '' }) => RULINGS.has(type) || /^referee(\/|$)/.test(source);

/** The choices of a list of events. */
export const FILTERS = {
  all: ['All', () => true],
  decisive: ['Decisive', (event) => DECISIVE.has(event.type) || isRuling(event)],
  rulings: ['Rulings', isRuling],
};

const because = ({ reason: why }) => (why ? `: ${why}` : '');
const spaced = (name, isFirst = false) => {
  const words = String(name).replaceAll('_', ' ');
  return isFirst ? words.charAt(0).toUpperCase() + words.slice(1) : words;
};
const bySide = ({ ct, t }) => `CT ${ct}:${t} T`;

/** How each type is told: its data, who a player id is, the state. */
const SENTENCES = {
  'map.loaded': ({ map_name: name }) => `The server loads ${mapName(name)}`,
  'map.ended': ({ score }) => `The map ends, ${bySide(score)}`,
  'team.named': ({ side, name }) => `${side} is ${name}`,
  'player.joined': ({ player, side, role }, who) => `${who(player)} joins${side ? ` ${side}` : ''}${role ? ` as ${role}` : ''}`,
  'player.connected': ({ player }, who) => `${who(player)} connects`,
  'player.disconnected': ({ player, reason: why }, who) => `${who(player)} leaves${because({ reason: why })}`,
  'warmup.started': () => 'Warm-up begins',
  'warmup.ended': () => 'Warm-up ends',
  'match.started': () => 'The match starts; play before it is void',
  'match.restarting': () => 'A restart; play before it is void',
  'match.reloaded': ({ score }) => `Reloaded from a back-up${score ? `, ${bySide(score)}` : ''}`,
  'score.reported': ({ score }) => `The server says ${bySide(score)}`,
  'team.scored': ({ side, score }) => `The server says ${side} has ${score}`,
  'freeze.started': () => 'Freeze time',
  'round.started': () => 'The round starts',
  'round.ended': ({ winner, reason: why, score }) => `${winner} wins the round, ${reason(why)}${score ? `, ${bySide(score)}` : ''}`,
  'round.drawn': () => 'The round is drawn and played again',
  'sides.swapped': () => 'The teams change sides',
  'player.killed': ({ killer, victim, weapon: with_, headshot }, who) => `${who(killer)} kills ${who(victim)}, ${weapon(with_)}${headshot ? ', headshot' : ''}`,
  'player.died': ({ player, cause }, who) => `${who(player)} dies, ${cause}`,
  'player.assisted': ({ assister, victim, flash }, who) => `${who(assister)} assists at ${who(victim)}'s death${flash ? ' with a flash' : ''}`,
  'player.hurt': ({ attacker, victim, weapon: with_, damage, health }, who) => `${who(attacker)} hurts ${who(victim)}, ${weapon(with_)}, −${damage} to ${health}`,
  'bomb.picked_up': ({ player }, who) => `${who(player)} takes the bomb`,
  'bomb.dropped': ({ player }, who) => `${who(player)} drops the bomb`,
  'bomb.plant_started': ({ player }, who) => `${who(player)} begins to plant`,
  'bomb.planted': ({ player, site }, who) => `${player ? `${who(player)} plants the bomb` : 'The bomb is planted'}${site ? ` at ${site}` : ''}`,
  'bomb.defuse_started': ({ player, kit }, who) => `${who(player)} begins to defuse${kit ? ' with a kit' : ''}`,
  'bomb.defused': ({ player }, who) => (player ? `${who(player)} defuses the bomb` : 'The bomb is defused'),
  'bomb.exploded': () => 'The bomb explodes',
  'money.changed': ({ player, money, item }, who) => `${who(player)} has $${money}${item ? ` after ${weapon(item.replace(/^(weapon|item)_/, ''))}` : ''}`,
  'player.equipped': ({ player, items }, who) => `${who(player)} leaves the buy zone with ${items.length} items`,
  'player.reported': ({ player, kills, deaths, assists, health }, who) => [`The scoreboard says of ${who(player)}`, kills !== undefined && `${kills} kills`, deaths !== undefined && `${deaths} deaths`, assists !== undefined && `${assists} assists`, health !== undefined && `${health} health`].filter(Boolean).join(', '),
  'round.stats': ({ round, score }) => `The server's table before round ${round}, ${bySide(score)}`,
  'lineup.told': ({ team, name, players }, _, state) => `Line-up of ${name ?? teamName(state, team)}${players ? `, ${players.length} players` : ''}`,
  'period.started': ({ period }) => `Kick-off, ${spaced(period)}`,
  'period.ended': ({ period, score }) => `End of the ${spaced(period)}${score ? `, ${score.join(':')}` : ''}`,
  'stoppage.announced': ({ minutes }) => `${minutes} minutes of stoppage time`,
  'goal.scored': ({ team, scorer, assist, own_goal: own, penalty }, who, state) => [`Goal for ${teamName(state, team)}`, scorer && who(scorer), own && 'own goal', penalty && 'penalty', assist && `assist ${who(assist)}`].filter(Boolean).join(', '),
  'goal.disallowed': ({ team, reason: why }, _, state) => `Goal${team === undefined ? '' : ` of ${teamName(state, team)}`} disallowed${because({ reason: why })}`,
  'penalty.missed': ({ team, player, outcome }, who, state) => [`Penalty of ${teamName(state, team)} missed`, player && who(player), spaced(outcome)].filter(Boolean).join(', '),
  'shot.taken': ({ team, player, outcome }, who, state) => [`Shot of ${teamName(state, team)}`, player && who(player), spaced(outcome)].filter(Boolean).join(', '),
  'card.shown': ({ team, player, card }, who, state) => `${card === 'second_yellow' ? 'Second yellow' : spaced(card, true)} card for ${player ? `${who(player)}, ` : ''}${teamName(state, team)}`,
  'player.substituted': ({ team, off, on }, who, state) => `${who(on)} for ${who(off)}, ${teamName(state, team)}`,
  'shootout.kicked': ({ team, player, scored }, who, state) => `Kick of ${teamName(state, team)}${player ? `, ${who(player)}` : ''}: ${scored ? 'goal' : 'missed'}`,
  'match.finished': ({ score }) => `Full time${score ? `, ${score.join(':')}` : ''}`,
  'match.paused': ({ reason: why, side }) => `${pauseReason(why)}${side ? ` of ${side}` : ''}`,
  'match.resumed': () => 'Play goes on',
  'match.forfeited': (data, _, state) => `${teamName(state, data.team)} ${{ disqualified: 'is disqualified', no_show: 'does not show up' }[data.how] ?? 'forfeits'}${because(data)}`,
  'match.abandoned': (data) => `Abandoned${because(data)}`,
  'result.amended': (data, _, state) => `Result set${data.score ? ` to ${data.score.join(':')}` : ''}${data.winner === undefined ? '' : `, ${teamName(state, data.winner)} wins`}${because(data)}`,
  'result.confirmed': ({ seq }) => `Result confirmed as of event ${seq}`,
  'event.voided': (data) => `Event ${data.seq} is void${because(data)}`,
  'event.amended': (data) => `Event ${data.seq} is amended${because(data)}`,
  'sources.ranked': ({ sources }) => `Sources: ${sources.join(', then ')}`,
  'source.switched': ({ to, reason: why }) => `${to} is believed from here on${because({ reason: why })}`,
  'source.gap': ({ from, to }) => `Bytes ${from} to ${to} of the feed have not arrived`,
  'source.late': ({ from, to }) => `Bytes ${from} to ${to} of the feed arrive late`,
  'match.scheduled': ({ fills, teams, best_of: length, starts }) => [fills ? 'The match is loaded' : 'The match is set', teams?.map(({ name }) => name).join(' v '), length && `best of ${length}`, starts && startWords(starts)].filter(Boolean).join(', '),
  'server.assigned': ({ server }) => (server ? `Played on ${server}` : 'No server is assigned'),
  'map.vetoed': ({ action, team, map_name: name, side, teams }, _, state) => [team === undefined ? 'Left over' : told(state, teams, team), { ban: 'bans', pick: 'picks', side: 'chooses a side on', decider: 'decider' }[action] ?? action, mapName(name), side].filter(Boolean).join(' '),
  'series.started': () => 'The match begins',
  'map.won': ({ map, winner, score, teams }, _, state) => `${told(state, teams, winner)} wins map ${map}${score ? `, ${score.join(':')}` : ''}`,
  'series.ended': ({ winner, score, teams }, _, state) => `The match is over${winner === undefined ? '' : `, ${told(state, teams, winner)} wins`}${score ? `, ${score.join(':')}` : ''}`,
  'bye.given': (data, _, state) => `${teamName(state, data.team)} has a bye${because(data)}`,
  'match.cancelled': (data) => `The match is cancelled${because(data)}`,
};

/**
 * A team by its index, in the order of whoever tells of it if that has one of its own.
 * @param {Object} state
 * @param {{name: string}[]=} teams
 * @param {number} team
 * @returns {string}
 */
function told(state, teams, team) {
  return teams?.[team]?.name ?? teamName(state, team);
}

/**
 * An event in a sentence. One whose type is not known here is told by its type and what it says.
 * @param {{type: string, data?: Object}} event
 * @param {Object} state where names are taken from
 * @returns {string}
 */
export function sentence({ type, data = {} }, state) {
  const who = (id) => playerName(state, id);
  try {
    return SENTENCES[type]?.(data, who, state) ?? anyEvent(type, data, state);
  } catch {
    // Somebody's event of a known type, from when its fields were others.
    return anyEvent(type, data, state);
  }
}

function anyEvent(type, data, state) {
  const words = `${type.replace(/^x\./, '').replaceAll(/[._]/g, ' ')}`;
  const said = Object.entries(data).slice(0, 6).map(([name, value]) => `${name.replaceAll('_', ' ')} ${valueWords(value, state, name)}`);
  return [words.charAt(0).toUpperCase() + words.slice(1), ...said].join(', ');
}

/**
 * A value of an event's data: a person by name, a team by its, a list by its length.
 * @param {*} value
 * @param {Object} state
 * @param {string} [name] of the field
 * @returns {string}
 */
export function valueWords(value, state, name = '') {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (state.players?.[value]) return playerName(state, value);
  if (name === 'team' && (value === 0 || value === 1)) return teamName(state, value);
  if (name === 'weapon') return weapon(String(value));
  // Who it is, the state says; in the event it can be read by nobody.
  if (/^~[01]/.test(value)) return 'sealed';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value).replaceAll('_', ' ');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

const FOLDED = 'The map is folded anew as if this had not happened.';

/** What it does to the state that an event is void, as far as its type tells. */
const WITHOUT = {
  'player.killed': 'The kill and the death are taken from both players, and the victim lives on in this round.',
  'player.died': 'The death is taken from the player, who lives on in this round.',
  'player.assisted': 'The assist is taken from the player.',
  'player.hurt': 'The damage is taken from the player.',
  'round.ended': 'The round has no winner: its point is taken from the team, unless a later event tells the score.',
  'bomb.planted': 'The bomb counts as not planted.',
  'map.ended': 'The map goes on.',
  'match.started': 'What was played before it counts again.',
  'match.restarting': 'What was played before it counts again.',
  'goal.scored': 'The goal does not count.',
  'card.shown': 'The card is taken back.',
  'match.paused': 'Play was not stopped by it.',
  'match.forfeited': 'Nobody forfeits: the map stands as it was played.',
  'match.abandoned': 'The map stands as it was played.',
  'result.amended': 'The result is again the one that was played.',
  'result.confirmed': 'The result is open again.',
  'event.voided': 'What was void counts again.',
  'event.amended': 'What was amended counts again as it was told.',
};

/**
 * What it does that an event is void.
 * @param {string} type
 * @returns {string}
 */
export const withoutIt = (type) => `${WITHOUT[type] ?? FOLDED} Score, statistics and predictions follow. The event stays in the log, and this can be taken back.`;
