/**
 * Who decides here: a name that is asked for once and kept until the browser's tab is closed.
 * @module referee_name
 */

const KEY = 'matchwire.referee';
/** What may stand in the source of an event. */
const NAME = /^[A-Za-z0-9._~-]{1,40}$/;

/** The same rule as an attribute, and in words. */
export const NAME_PATTERN = '[A-Za-z0-9._~\\-]{1,40}';
export const NAME_RULE = 'Letters, digits and . _ ~ - without spaces, at most 40.';

/** A browser may refuse storage; the name then lasts as long as the page. */
let name = '';
try {
  const stored = sessionStorage.getItem(KEY) ?? '';
  if (NAME.test(stored)) name = stored;
} catch {
  // Asked for again.
}

/** The name, or the empty text as long as it is unknown. */
export const referee = () => name;

/**
 * Keeps a name.
 * @param {string} text
 * @returns {boolean} whether it is one
 */
export function setReferee(text) {
  if (!NAME.test(text)) return false;
  name = text;
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // Not kept, still used.
  }
  return true;
}
