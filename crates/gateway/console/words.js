/**
 * What a state says, in words: names, reasons, weapons, sides, numbers.
 * @module words
 */

const WEAPONS = {
  ak47: 'AK-47', m4a1: 'M4A4', m4a1_silencer: 'M4A1-S', m4a1_silencer_off: 'M4A1-S', awp: 'AWP',
  deagle: 'Deagle', glock: 'Glock', usp_silencer: 'USP-S', usp_silencer_off: 'USP-S', hkp2000: 'P2000',
  p250: 'P250', fiveseven: 'Five-SeveN', tec9: 'Tec-9', cz75a: 'CZ75', elite: 'Dualies', revolver: 'R8',
  famas: 'FAMAS', galilar: 'Galil', aug: 'AUG', sg556: 'SG 553', ssg08: 'Scout', scar20: 'SCAR-20',
  g3sg1: 'G3SG1', mac10: 'MAC-10', mp9: 'MP9', mp7: 'MP7', mp5sd: 'MP5-SD', ump45: 'UMP-45', p90: 'P90',
  bizon: 'Bizon', nova: 'Nova', xm1014: 'XM1014', mag7: 'MAG-7', sawedoff: 'Sawed-off', m249: 'M249',
  negev: 'Negev', hegrenade: 'HE', inferno: 'Fire', molotov: 'Molotov', incgrenade: 'Incendiary',
  flashbang: 'Flash', smokegrenade: 'Smoke', decoy: 'Decoy', taser: 'Zeus', planted_c4: 'C4',
};

const REASONS = {
  elimination: 'elimination', bomb_exploded: 'bomb exploded', bomb_defused: 'bomb defused',
  time_ran_out: 'time ran out', hostages_rescued: 'hostages rescued',
  hostages_not_rescued: 'hostages not rescued', surrender: 'surrender', other: 'other reason',
};

const PHASES = {
  waiting: 'Waiting', warm_up: 'Warm-up', freeze_time: 'Freeze time', round: '',
  round_over: 'Round over', ended: 'Final',
};

const PAUSES = { timeout: 'Time-out', technical: 'Technical pause', half_time: 'Half-time', other: 'Paused' };

const RULINGS = { forfeited: 'Forfeited', abandoned: 'Abandoned', amended: 'Result set by the referee', cancelled: 'Cancelled', bye: 'Bye' };

const STATUSES = { scheduled: 'Scheduled', live: 'Live', paused: 'Paused', ended: 'Ended' };

/** Why play stops: `Technical pause`. */
export const pauseReason = (name) => PAUSES[name] ?? 'Paused';

/**
 * What a referee decided about a result: `Forfeited`, `Confirmed`.
 * @param {{kind?: string, confirmed?: boolean}|undefined} ruling
 * @returns {string[]}
 */
export function rulingWords(ruling) {
  if (!ruling) return [];
  const kind = ruling.kind && (RULINGS[ruling.kind] ?? ruling.kind.replaceAll('_', ' '));
  return [kind, ruling.confirmed ? 'Confirmed' : null].filter(Boolean);
}

/**
 * What stands beside the score of a map or a match: its status, what a referee decided, which source
 * is believed.
 * @param {Object} state
 * @returns {{text: string, status?: string, title?: string}[]}
 */
export function chips(state) {
  return [
    { text: status(state.status), status: state.status },
    ...rulingWords(state.ruling).map((text) => ({ text, status: 'ruling', title: state.ruling.reason })),
    ...(state.source ? [{ text: `told by ${state.source}`, title: 'Of several sources, the one that is believed now' }] : []),
    ...(state.best_of ? [{ text: `Best of ${state.best_of}` }] : []),
  ];
}

/**
 * How a map or a match ended.
 * @param {Object} state with `winner`, `ruling` and `teams`
 * @param {'map'|'match'} what
 * @returns {string}
 */
export function resultWords(state, what) {
  const { winner, ruling } = state;
  if (ruling?.kind === 'abandoned' || ruling?.kind === 'cancelled') return RULINGS[ruling.kind];
  if (winner === undefined) return 'Draw';
  if (ruling?.kind === 'bye') return `${teamName(state, winner)} have a bye`;
  const won = `${teamName(state, winner)} win the ${what}`;
  return ruling?.kind === 'forfeited' ? `${teamName(state, 1 - winner)} forfeit · ${won}` : won;
}

/** A weapon's name as people say it. */
export function weapon(name) {
  if (/^(knife|bayonet)/.test(name)) return 'Knife';
  return WEAPONS[name] ?? name.replaceAll('_', ' ');
}

/** Why a round was won. */
export const reason = (name) => REASONS[name] ?? String(name).replaceAll('_', ' ');

/** Where a map stands: `Live`. */
export const status = (name) => STATUSES[name] ?? 'Unknown';

/** A map's name without its prefix, `Nuke`; a workshop map keeps its last part. */
export function mapName(name) {
  if (!name) return 'Map unknown';
  const short = name.split('/').pop().replace(/^(de|cs|ar)_/, '').replaceAll('_', ' ');
  return short.charAt(0).toUpperCase() + short.slice(1);
}

/** A team's name; a team that has not said it is called by its number. */
export const teamName = (state, team) => state.teams?.[team]?.name || `Team ${team + 1}`;

/** A player's name; one who is not known is called so. */
export function playerName(state, id) {
  const name = state.players?.[id]?.name;
  return name?.trim() ? name : 'unnamed player';
}

/** What is going on: `Freeze time`, `Time-out · Team Alpha`. */
export function phase(state) {
  if (state.status === 'paused') {
    const why = pauseReason(state.pause?.reason);
    return state.pause?.team === undefined ? why : `${why} · ${teamName(state, state.pause.team)}`;
  }
  if (state.phase === 'round' && state.bomb === 'planted') {
    return state.bomb_site ? `Bomb planted · ${state.bomb_site}` : 'Bomb planted';
  }
  return PHASES[state.phase] ?? '';
}

/** A probability in whole percent, which says 0 or 100 only when nothing is left open. */
export function percent(p) {
  if (p > 0 && p < 0.01) return '<1%';
  if (p < 1 && p > 0.99) return '>99%';
  return `${Math.round(p * 100)}%`;
}

/** Milliseconds in three figures with their unit. */
export function duration(ms) {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0.0995) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms >= 999.5) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 9.95 ? ms.toFixed(ms < 0.995 ? 2 : 1) : Math.round(ms)} ms`;
}

/** Seconds as a clock shows them, `1:07`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Dollars, `$4,250`. */
export const money = (dollars) => (dollars === undefined ? '–' : `$${dollars.toLocaleString('en-US')}`);
