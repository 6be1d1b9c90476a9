/**
 * The events of a stream as far back as one has looked, without a gap, with what is said about them.
 * @module event_history
 */

import { eventsBetween } from './api.js';
import { inForce, isCorrection } from './corrections.js';

/** Events are read in pages of so many. */
const PAGE = 200;
/** So many are kept; the oldest are let go first and can be read again. */
const MAX_KEPT = 20_000;

export class EventHistory {
  /** Ascending by seq, without a gap. */
  events = [];
  /** Why older ones could not be read, in words; null if they could. */
  trouble = null;

  #subject;
  /** The last seq before the events here. */
  #before;
  /** What is before this is gone for good. */
  #floor = 0;
  #verdicts = null;
  #reading = null;

  /**
   * @param {string} subject
   * @param {number} head the last event so far
   */
  constructor(subject, head) {
    this.#subject = subject;
    this.#before = head;
  }

  /** Whether there may be older ones. */
  get hasOlder() {
    return this.#before > this.#floor;
  }

  /** The last event that is known of. */
  get head() {
    return this.events.at(-1)?.seq ?? this.#before;
  }

  /** Takes the next event. */
  take(event) {
    if (event.seq !== this.head + 1) return;
    this.events.push(event);
    this.#verdicts = null;
    if (this.events.length <= MAX_KEPT) return;
    const gone = this.events.splice(0, this.events.length - MAX_KEPT + PAGE);
    this.#before = gone.at(-1).seq;
  }

  /** The event with a number, if it is here. */
  at(seq) {
    return this.events[seq - this.#before - 1];
  }

  /** The corrections in force, by the seq that they are about. Of the events here they are complete. */
  get verdicts() {
    this.#verdicts ??= inForce(this.events);
    return this.#verdicts;
  }

  /** How often an event was corrected, whatever is in force. */
  turns(seq) {
    return this.events.filter((event) => isCorrection(event) && event.data?.seq === seq).length;
  }

  /**
   * Reads a page of older ones; a second call meanwhile waits for the same page.
   * @returns {Promise<void>}
   */
  older() {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Reads until an event is here, if it can be had. */
  async reach(seq) {
    while (this.hasOlder && seq <= this.#before) {
      await this.older();
      if (this.trouble) break;
    }
    return this.at(seq);
  }

  async #read() {
    const to = this.#before;
    this.trouble = null;
    try {
      this.#prepend(await eventsBetween(this.#subject, Math.max(this.#floor, to - PAGE), to));
    } catch (error) {
      const floor = error.problem?.floor?.seq;
      this.trouble = floor >= 0 ? `Events up to ${floor} are past their age and were removed.` : `Older events cannot be read: ${error.message}.`;
      if (!(floor >= 0)) return;
      this.#floor = floor;
      // What is left of the page is read.
      if (floor < to) this.#prepend(await eventsBetween(this.#subject, floor, to).catch(() => []));
    }
  }

  #prepend(events) {
    if (events.length === 0) {
      this.trouble ??= 'Older events cannot be read now.';
      return;
    }
    this.events.unshift(...events);
    this.#before = events[0].seq - 1;
    this.#verdicts = null;
  }
}
