/**
 * What a person decides here, as events: a correction, a pause, a result, a fixture. An event that is
 * sent again, after a double click or a lost answer, is the same event.
 * @module commands
 */

import { referee } from './referee_name.js';

/** An answer that takes longer is taken for lost. */
const ANSWER_MS = 15_000;
/** So many events are kept whose answer is missing. */
const MAX_UNANSWERED = 50;

/** Why something was not taken, for people. */
export class Refusal extends Error {
  /**
   * @param {string} detail
   * @param {boolean} isForbidden whether nothing may be sent from here at all
   */
  constructor(detail, isForbidden = false) {
    super(detail);
    this.isForbidden = isForbidden;
  }
}

/** Events that were sent and not answered for, by what they say. */
const unanswered = new Map();

/**
 * Sends an event.
 * @param {{subject: string, type: string, data: Object, about: number, turn?: number}} command `about` is
 *   the `seq` that it is about; `turn` counts what was decided about that before, so that to decide
 *   the same again is not a repetition
 * @returns {Promise<{seq: number, isRepeated: boolean}>}
 * @throws {Refusal}
 */
export async function send({ subject, type, data, about, turn = 0 }) {
  const key = JSON.stringify([subject, type, about, turn, data]);
  const event = unanswered.get(key) ?? await envelope({ subject, type, data, about, turn });
  unanswered.set(key, event);
  if (unanswered.size > MAX_UNANSWERED) unanswered.delete(unanswered.keys().next().value);
  const response = await post('application/cloudevents+json', JSON.stringify(event));
  // From here on it is known what became of it.
  unanswered.delete(key);
  const [result] = response.results ?? [];
  if (!result || result.status === 'rejected') throw new Refusal(result?.error?.detail ?? 'The server did not say what became of it.');
  return { seq: result.seq, isRepeated: result.status === 'duplicate' };
}

let refusal = null;

/**
 * Asks whether anything may be sent from here, by sending nothing; once, as long as the page is open.
 * @returns {Promise<string|null>} why not; null if it may
 */
export function whyNot() {
  refusal ??= ask();
  return refusal;
}

async function ask() {
  try {
    await post('application/cloudevents-batch+json', '[]');
    return null;
  } catch (error) {
    return error.isForbidden ? error.message : null;
  }
}

async function envelope({ subject, type, data, about, turn }) {
  const time = new Date().toISOString();
  const id = [type, about, await fingerprint(JSON.stringify(data)), ...(turn > 0 ? [turn] : [])].join('-');
  return { specversion: '1.0', id, source: `referee/${referee()}`, subject, type, time, data };
}

/** Eight hex digits of a text's hash; where the browser has none, as on plain http, of chance. */
async function fingerprint(text) {
  const bytes = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
    : crypto.getRandomValues(new Uint8Array(4));
  return [...bytes.slice(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function post(kind, body) {
  const options = { method: 'POST', body, headers: { 'content-type': kind, accept: 'application/json' }, signal: AbortSignal.timeout(ANSWER_MS) };
  const response = await fetch(new URL('/api/v1/events', location.href), options).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (!response || (response.ok && !answer)) {
    throw new Refusal('The server has not answered. Try again: if it did arrive, it will not count twice.');
  }
  if (response.ok || answer?.results) return answer;
  throw new Refusal(answer?.detail ?? `The server answered ${response.status}.`, response.status === 401 || response.status === 403);
}
