/**
 * The dialog that schedules a match, or changes what is set for it.
 * @module schedule_dialog
 */

import { matches } from './api.js';
import { Refusal, send } from './commands.js';
import { field, openDialog } from './dialog.js';
import { h } from './dom.js';

const NAME = '[A-Za-z0-9._~\\-]{1,64}';
const NAME_HINT = 'Letters, digits and . _ ~ - without spaces.';
const LENGTHS = [1, 2, 3, 5, 7];
const GAMES = [['cs2', 'Counter-Strike 2'], ['football', 'Football']];

/**
 * Asks for a new match.
 * @param {(match: string) => void} done
 */
export function askSchedule(done) {
  const id = field('Match', { name: 'match', required: '', pattern: NAME, title: NAME_HINT, autocapitalize: 'none', spellcheck: 'false' }, `Its name in every address. ${NAME_HINT}`);
  /** The match that was sent already, if its answer was lost: to send it again is harmless. */
  let sent;
  openDialog({
    title: 'Schedule a match',
    body: [id, ...fields({})],
    action: 'Schedule',
    async send(said) {
      const match = said('match');
      const isTaken = match !== sent && (await matches()).some((one) => one.match === match);
      if (isTaken) throw new Refusal(`There is a match ${match} already. Change it on its own page, or choose another name.`);
      const data = fixture(said, {});
      sent = match;
      await send({ subject: `match/${match}`, type: 'match.scheduled', about: 0, data });
      done(match);
    },
  });
}

/**
 * Asks what is to be otherwise.
 * @param {string} match
 * @param {Object} series what is set
 * @param {(text: string) => void} tell
 */
export function askChange(match, series, tell) {
  openDialog({
    title: `Change ${match}`,
    body: [...fields(series), h('p', { class: 'quiet' }, 'What is left empty stays as it is; only the server can be taken away.')],
    action: 'Change',
    async send(said) {
      const data = fixture(said, series);
      const isWithoutServer = series.server && !said('server');
      if (Object.keys(data).length === 0 && !isWithoutServer) throw new Refusal('Nothing is changed yet.');
      const about = series.seq ?? 0;
      if (Object.keys(data).length > 0) await send({ subject: `match/${match}`, type: 'match.scheduled', about, data });
      if (isWithoutServer) await send({ subject: `match/${match}`, type: 'server.assigned', about, data: {} });
      tell(`Match ${match} is changed.`);
    },
  });
}

function fields(series) {
  const names = [0, 1].map((team) => series.teams?.[team]?.name);
  const length = series.best_of ?? (series.seq ? undefined : 3);
  const lengths = length && !LENGTHS.includes(length) ? [...LENGTHS, length] : LENGTHS;
  return [
    h('div', { class: 'two-fields' },
      field('First team', { name: 'team0', maxlength: 128, value: names[0], required: names[0] ? '' : null }),
      field('Second team', { name: 'team1', maxlength: 128, value: names[1], required: names[1] ? '' : null }),
      field('Start', { name: 'starts', type: 'datetime-local', value: local(series.starts) }, `In your time, ${zone()}.`),
      select('Best of', 'best_of', lengths.map((maps) => [String(maps), String(maps)]), length && String(length)),
      select('Game', 'game', GAMES, series.game || undefined),
      field('Tournament', { name: 'tournament', pattern: NAME, title: NAME_HINT, value: series.tournament, autocapitalize: 'none', spellcheck: 'false' }, NAME_HINT),
      field('Stage', { name: 'stage', maxlength: 128, value: series.stage, placeholder: 'Quarter-final' }),
      ...[0, 1].map((team) => lineUpField(team, series.teams?.[team])),
      field('Server', { name: 'server', pattern: NAME, title: NAME_HINT, value: series.server, autocapitalize: 'none', spellcheck: 'false' }, 'The server that plays it.')),
  ];
}

/** A line-up as text: on each line who, and the name. */
const lineUpText = ({ players = {} } = {}) => Object.entries(players).map(([id, { name }]) => [id, name].filter(Boolean).join(' ')).join('\n');

function lineUpField(team, own) {
  const area = h('textarea', { name: `players${team}`, rows: 5, spellcheck: 'false', autocapitalize: 'none', placeholder: 'steam:76561198000000000 name' });
  area.value = lineUpText(own);
  return h('label', { class: 'field' }, h('span', {}, `${team === 0 ? 'First' : 'Second'} team's line-up`), area,
    h('small', { class: 'quiet' }, 'One on each line: the account or player id, and the name.'));
}

function select(label, name, options, chosen) {
  return h('label', { class: 'field' }, h('span', {}, label),
    h('select', { name }, h('option', { value: '' }, 'Not set'),
      ...options.map(([value, text]) => h('option', { value, selected: value === chosen ? '' : null }, text))));
}

/**
 * What the form says that is not set already.
 * @param {(name: string) => string|undefined} said
 * @param {Object} series
 * @returns {Object} the data of `match.scheduled`
 */
function fixture(said, series) {
  const number = said('best_of') && Number(said('best_of'));
  const told = { game: said('game'), best_of: number, tournament: said('tournament'), stage: said('stage'), server: said('server') };
  const data = Object.fromEntries(Object.entries(told).filter(([name, value]) => value !== undefined && value !== series[name]));
  const teams = [0, 1].map((team) => ({ name: said(`team${team}`), id: series.teams?.[team]?.id, text: lines(said(`players${team}`)).join('\n') }));
  if (teams.some(({ name, text }) => name || text) && !teams.every(({ name }) => name)) throw new Refusal('Name both teams, or neither.');
  const isOther = ({ name, text }, team) => name !== series.teams?.[team]?.name || text !== lineUpText(series.teams?.[team]);
  if (teams[0].name && teams.some(isOther)) data.teams = teams.map(asTeam);
  const starts = said('starts');
  if (starts && starts !== local(series.starts)) data.starts = new Date(starts).toISOString();
  return data;
}

const lines = (text = '') => text.split('\n').map((line) => line.trim().replace(/\s+/g, ' ')).filter(Boolean);

function asTeam({ name, id, text }) {
  const players = lines(text).map((line) => {
    const [player, ...rest] = line.split(' ');
    return { player, ...(rest.length > 0 && { name: rest.join(' ') }) };
  });
  return { name, ...(id && { id }), ...(players.length > 0 && { players }) };
}

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A moment as a field for local time has it; the empty text for none. */
function local(starts) {
  const time = new Date(starts);
  if (!starts || Number.isNaN(time.getTime())) return '';
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
