/**
 * Everything that the page of one map shows, kept up to date: the state and the events from the
 * feed, the series of predictions, the clock. It draws nothing.
 * @module map_model
 */

import * as api from './api.js';
import { EventClock } from './clock.js';
import { isCorrection } from './corrections.js';
import { follow } from './feed.js';
import { PlayLog } from './play_log.js';
import { counting } from './reading.js';

/** Of how many rounds before the first snapshot the kill feed tells. */
const ROUNDS_BACK = 3;

/**
 * Events after which the series is read anew: a late part, or another source, changes what was before
 * it, and at the end those predictions have to come that a slow line was spared.
 */
const REPREDICTING = new Set(['source.late', 'source.switched', 'sources.ranked', 'map.ended']);

export class MapModel {
  /** The state of the map, or null before the first snapshot. */
  state = null;
  /** Whether the map is known to have no events yet. */
  isEmpty = false;
  /** The predictions of play that counts, ascending by seq; a new array after every change. */
  predictions = [];
  play = new PlayLog();
  clock = new EventClock();
  /** Grows whenever what is past has changed, by a correction or a snapshot. */
  revision = 0;
  /** How the line is: see {@link module:feed}. */
  connection = 'connecting';

  #match;
  #map;
  #changed;
  #feed;
  #closed = false;
  /** Live events that arrive while those before them are read; null at other times. */
  #pending = null;
  /** Whether a correction has come while the past was read. */
  #isStale = false;

  /**
   * @param {string} match
   * @param {number} map
   * @param {() => void} changed called after every change
   */
  constructor(match, map, changed) {
    this.#match = match;
    this.#map = map;
    this.#changed = changed;
  }

  open() {
    this.#feed = follow(`match/${this.#match}/${this.#map}`, ['events', 'state', 'prediction'], {
      state: (state, how) => this.#state(state, how),
      event: (event) => this.#event(event),
      prediction: (prediction) => this.#predicted([prediction]),
      connection: (connection) => this.#set({ connection }),
      empty: () => this.#set({ isEmpty: true }),
      resumed: () => this.#readPredictions(),
    });
  }

  close() {
    this.#closed = true;
    this.#feed.close();
  }

  #set(change) {
    if (this.#closed) return;
    Object.assign(this, change);
    this.#changed();
  }

  #state(state, how) {
    // A snapshot comes first, or after a reset, which voids all that was held.
    if (how === 'snapshot') this.#set({ play: new PlayLog(), predictions: [] });
    this.play.correct(state);
    this.#set({ state, isEmpty: state.seq === 0 });
    if (how === 'snapshot' && state.seq > 0) {
      this.#readPast(state.seq);
    }
  }

  #event(event) {
    this.clock.observe(event.time);
    this.#pending?.push(event);
    const isChanging = this.play.take(event);
    if (isCorrection(event)) this.#correct(event.seq);
    else if (isChanging || REPREDICTING.has(event.type)) this.#readPredictions();
    this.#changed();
  }

  /** A correction changes what was before it: the past is read again. */
  #correct(seq) {
    if (this.#pending) this.#isStale = true;
    else this.#readPast(seq);
  }

  /** Reads what led to an event: the predictions, and the plays of the last rounds. */
  async #readPast(head) {
    this.#pending = [];
    await this.#readPredictions();
    const round = (this.predictions.at(-1)?.round_no ?? 0) - ROUNDS_BACK;
    const after = this.predictions.findLast(({ round_no: number }) => number <= round)?.seq ?? 0;
    const events = await api.events(this.#match, this.#map, after).catch(() => null);
    const before = (events ?? []).filter(({ seq }) => seq <= head);
    const pending = this.#pending;
    this.#pending = null;
    if (events) {
      const play = PlayLog.of([...before, ...pending]);
      play.correct(this.state);
      this.clock.prime(before);
      this.#set({ play, revision: this.revision + 1 });
    }
    if (!this.#isStale || this.#closed) return;
    this.#isStale = false;
    await this.#readPast(this.state.seq);
  }

  async #readPredictions() {
    if (!this.state?.seq) return;
    const all = await api.predictions(this.#match, this.#map).catch(() => null);
    if (!all) return;
    const head = all.at(-1)?.seq ?? 0;
    const newer = this.predictions.filter(({ seq }) => seq > head);
    this.#set({ predictions: counting([...all, ...newer]) });
  }

  #predicted(predictions) {
    const head = this.predictions.at(-1)?.seq ?? 0;
    const newer = predictions.filter(({ seq }) => seq > head);
    if (newer.length === 0) return;
    this.#set({ predictions: counting([...this.predictions, ...newer]) });
  }
}
