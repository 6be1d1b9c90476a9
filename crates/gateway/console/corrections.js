/**
 * What the corrections of a stream say: which events are void, and which happened otherwise than
 * they were told. By the same rules as the server's fold, over the events that are at hand.
 * @module corrections
 */

/** The events that correct another one. */
export const CORRECTIONS = new Set(['event.voided', 'event.amended']);

/** Whether an event corrects another one. */
export const isCorrection = ({ type }) => CORRECTIONS.has(type);

/**
 * What is in force, by the `seq` of the event that it is about: the last correction of each. A
 * correction that is void says nothing, nor does one that names what cannot be corrected.
 *
 * A correction comes after its event; so whoever holds all events from some `seq` on knows all
 * that is said about them.
 * @param {{seq: number, type: string, data?: Object}[]} events in any order
 * @returns {Map<number, {seq: number, type: string, data: Object}>}
 */
export function inForce(events) {
  const corrections = events.filter(isCorrection).sort((a, b) => b.seq - a.seq);
  const seqs = new Set(corrections.map(({ seq }) => seq));
  const verdicts = new Map();
  for (const correction of corrections) {
    if (verdicts.has(correction.seq)) continue;
    const target = correction.data?.seq;
    const isMisplaced = !(target < correction.seq) || (correction.type === 'event.amended' && seqs.has(target));
    if (!isMisplaced && !verdicts.has(target)) verdicts.set(target, correction);
  }
  return verdicts;
}

/**
 * An event as it should have been told; null if it did not happen.
 * @template E
 * @param {E} event
 * @param {{type: string, data: Object}|undefined} verdict
 * @returns {E|null}
 */
export function corrected(event, verdict) {
  if (!verdict) return event;
  if (verdict.type === 'event.voided') return null;
  const { type, time, data } = verdict.data;
  return { ...event, type, time: time ?? event.time, data };
}
