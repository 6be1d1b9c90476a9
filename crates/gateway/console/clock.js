/**
 * The clock of a match. Events tell the time of the game's server, which need not be ours, and a
 * replay runs faster than life. So the clock follows the events: it takes the moment of the last
 * one and goes on at the pace of those before it. Where that is no longer sound it shows nothing.
 * @module clock
 */

/** Without an event for so long, nobody knows what time it is there. */
const STALE_MS = 90_000;
/** The pace is taken over the events that arrived within this. */
const WINDOW_MS = 30_000;
/** A shorter window says nothing about the pace. */
const MIN_SPAN_MS = 2_500;
/** Above this pace a clock is a blur. */
const MAX_PACE = 40;

export class EventClock {
  #samples = [];
  #pace = 1;
  #primed = false;

  /**
   * Takes events from before we listened, with the time at which the log took them, unless one
   * has arrived already.
   * @param {{time?: string, recordedtime?: string}[]} events
   */
  prime(events) {
    if (this.#samples.length > 0) return;
    for (const event of events) this.#add(Date.parse(event.time), Date.parse(event.recordedtime));
    this.#primed = true;
  }

  /**
   * Takes an event that has just arrived.
   * @param {string|undefined} time
   * @param {number} [wallMs]
   */
  observe(time, wallMs = Date.now()) {
    // Our clock may differ from the log's, so the two kinds of sample are not mixed.
    if (this.#primed) this.#samples = [];
    this.#primed = false;
    this.#add(Date.parse(time), wallMs);
  }

  #add(eventMs, wallMs) {
    if (!Number.isFinite(eventMs) || !Number.isFinite(wallMs)) return;
    const last = this.#samples.at(-1);
    // A jump is another match time altogether: a new map, an event that was late.
    if (last && Math.abs(eventMs - last.eventMs) > 600_000) this.#samples = [];
    else if (last && eventMs < last.eventMs) return;
    this.#samples.push({ eventMs, wallMs });
    while (wallMs - this.#samples[0].wallMs > WINDOW_MS) this.#samples.shift();
    const spanMs = wallMs - this.#samples[0].wallMs;
    if (spanMs < MIN_SPAN_MS) return;
    const pace = (eventMs - this.#samples[0].eventMs) / spanMs;
    this.#pace = pace > 0.7 && pace < 1.4 ? 1 : pace;
  }

  /**
   * The time at the match, or null where it cannot be told.
   * @param {number} [wallMs]
   * @returns {number|null}
   */
  now(wallMs = Date.now()) {
    const last = this.#samples.at(-1);
    if (!last || wallMs - last.wallMs > STALE_MS || wallMs - last.wallMs < -5_000) return null;
    if (this.#pace > MAX_PACE) return null;
    return last.eventMs + Math.max(0, wallMs - last.wallMs) * this.#pace;
  }
}

/**
 * What the clock of a round shows: seconds that are left of the round, or of the bomb.
 * @param {Object} state
 * @param {number|null} nowMs the time at the match
 * @returns {{kind: 'round'|'bomb', seconds: number, total: number}|null}
 */
export function remaining(state, nowMs) {
  if (nowMs === null || state.status !== 'live' || state.phase !== 'round') return null;
  const bomb = state.bomb === 'planted';
  const start = Date.parse(bomb ? state.bomb_planted : state.round_started);
  const total = bomb ? state.bomb_s : state.round_s;
  if (!Number.isFinite(start) || !(total > 0)) return null;
  const seconds = total - (nowMs - start) / 1000;
  // A few seconds over, the server is about to say how it ended; beyond that our guess is wrong.
  if (seconds < -5 || seconds > total + 5) return null;
  return { kind: bomb ? 'bomb' : 'round', seconds: Math.min(Math.max(seconds, 0), total), total };
}
