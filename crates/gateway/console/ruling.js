/**
 * To decide something and to say what came of it.
 * @module ruling
 */

import { send } from './commands.js';
import { status, teamName } from './words.js';

/** The score in words, `Alpha 5:3 Beta`. */
export const scoreWords = (state) => `${teamName(state, 0)} ${scoreOf(state)} ${teamName(state, 1)}`;

const scoreOf = (state) => [0, 1].map((team) => state.teams?.[team]?.score ?? 0).join(':');

/**
 * Sends a decision, and tells what is so afterwards.
 * @param {import('./desk.js').MapDesk|import('./desk.js').MatchDesk} desk
 * @param {{type: string, data: Object, about: number, turn?: number}} command
 * @param {string} done what is so, `Event 57 is void`
 * @returns {Promise<{seq: number, text: string, isOdd: boolean}>} `isOdd` where it did not come to that
 */
export async function decide(desk, command, done) {
  const before = desk.state;
  const { seq, isRepeated } = await send({ subject: desk.subject, ...command });
  // What was acknowledged is in the next read; a read that fails does not undo it.
  const after = await desk.latest().catch(() => null);
  const misfit = after?.anomalies?.find((anomaly) => anomaly.seq === seq && anomaly.kind === 'not_correctable');
  if (misfit) return { seq, isOdd: true, text: `Event ${seq} was taken and changes nothing: ${misfit.detail}.` };
  const came = after ? difference(before, after, desk.what, command.type.startsWith('event.')) : '';
  return { seq, isOdd: false, text: `${done}${came && `: ${came}`}.${isRepeated ? ' It was so already.' : ''}` };
}

/** What is otherwise than before; of a correction also that the score is not. */
function difference(before, after, what, isCorrection) {
  const parts = [];
  if (scoreOf(before) !== scoreOf(after)) parts.push(`the score is now ${scoreOf(after)}`);
  else if (isCorrection) parts.push(`the score stays ${scoreOf(after)}`);
  if (before.status !== after.status && (isCorrection || after.status === 'ended')) parts.push(`the ${what} is ${status(after.status).toLowerCase()}`);
  if (after.status === 'ended' && (before.status !== 'ended' || before.winner !== after.winner)) {
    parts.push(after.winner === undefined ? 'nobody wins' : `${teamName(after, after.winner)} win`);
  }
  return parts.join(', ');
}
