/**
 * What a referee has before them: where a map, or a match as a whole, stands, and its events.
 * Both kinds are used alike; they differ in how they are kept up to date.
 * @module desk
 */

import { eventsBetween, mapState, wholeMatch } from './api.js';
import { EventHistory } from './event_history.js';
import { follow } from './feed.js';
import { isSwapped } from './series.js';

/** A match's own stream has few events; it is asked for so often. */
const EVERY_MS = 3_000;

/** What both kinds are. */
class Desk {
  /** Where it stands; null before that is known. Of a match it has the teams and score of the standing. */
  state = null;
  /** Whether there is nothing yet. */
  isEmpty = false;
  connection = 'connecting';
  /** @type {EventHistory|null} */
  history = null;

  constructor(subject, changed) {
    this.subject = subject;
    this.changed = changed;
    this.isClosed = false;
  }

  set(change) {
    if (this.isClosed) return;
    Object.assign(this, change);
    this.changed();
  }

  /** What one decides about here, as people say: a game without maps has a match only. */
  get what() {
    return this.isWhole || (this.state?.game && this.state.game !== 'cs2') ? 'match' : 'map';
  }

  async older() {
    const reading = this.history?.older();
    this.changed();
    await reading;
    if (!this.isClosed) this.changed();
  }
}

/** A map: follows the feed. */
export class MapDesk extends Desk {
  isWhole = false;

  #match;
  #map;
  #feed;

  constructor(match, map, changed) {
    super(`match/${match}/${map}`, changed);
    this.#match = match;
    this.#map = map;
  }

  open() {
    this.#feed = follow(this.subject, ['events', 'state'], {
      state: (state, how) => this.#state(state, how),
      event: (event) => {
        this.history?.take(event);
        this.changed();
      },
      connection: (connection) => this.set({ connection }),
      empty: () => this.set({ isEmpty: true }),
    });
  }

  close() {
    this.isClosed = true;
    this.#feed.close();
  }

  /** The state as it is now, with everything that was acknowledged. */
  async latest() {
    const state = await mapState(this.#match, this.#map);
    this.#state(state, 'update');
    return state;
  }

  #state(state, how) {
    if (how === 'snapshot' || !this.history) {
      this.history = new EventHistory(this.subject, state.seq);
      this.older();
    } else if (state.seq < this.state.seq) {
      // The feed lags behind what was read meanwhile.
      return;
    }
    this.set({ state, isEmpty: state.seq === 0 });
  }
}

/** A match as a whole: asks now and then. */
export class MatchDesk extends Desk {
  isWhole = true;

  #match;
  #timer;

  constructor(match, changed) {
    super(`match/${match}`, changed);
    this.#match = match;
  }

  open() {
    this.#read();
    this.#timer = setInterval(() => document.hidden || this.#read(), EVERY_MS);
  }

  close() {
    this.isClosed = true;
    clearInterval(this.#timer);
  }

  async latest() {
    await this.#read();
    return this.state;
  }

  async #read() {
    const found = await wholeMatch(this.#match).catch((error) => error);
    if (found instanceof Error) {
      this.set(found.status === 404 ? { isEmpty: true, connection: 'live' } : { connection: 'reconnecting' });
      return;
    }
    const state = asState(found);
    if (!this.history || state.seq < this.history.head) this.history = new EventHistory(this.subject, state.seq);
    else if (state.seq > this.history.head) await this.#catchUp(state.seq);
    if (this.history.events.length === 0 && this.history.hasOlder) this.older();
    this.set({ state, isEmpty: false, connection: 'live' });
  }

  async #catchUp(head) {
    for (const event of await eventsBetween(this.subject, this.history.head, head).catch(() => [])) this.history.take(event);
  }
}

/**
 * A match as a whole in the form of a state: what its own stream tells, with the teams, score, status
 * and winner of the standing.
 * @param {{series: Object, standing: Object, maps: Object}} match
 * @returns {Object}
 */
export function asState({ series, standing, maps }) {
  const teams = standing.teams.map(({ name }, index) => ({ ...series.teams?.[index], name, score: standing.score[index] }));
  const players = Object.assign({}, ...Object.values(maps ?? {}).map((map) => playersOf(map, standing)), ...(series.teams ?? []).map((team, index) => withTeam(team.players, () => index)));
  return { ...series, teams, players, status: standing.status, winner: standing.winner, odds: standing.odds, maps };
}

/** The people of a map, with their team in the order of the match. */
function playersOf(map, standing) {
  const swapped = isSwapped(standing, map);
  return withTeam(map.players, (player) => (swapped && player.team !== undefined ? 1 - player.team : player.team));
}

const withTeam = (players = {}, teamOf) => Object.fromEntries(Object.entries(players).map(([id, player]) => [id, { ...player, team: teamOf(player) }]));
