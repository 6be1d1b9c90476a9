/**
 * Who looks at the console: the person whose token was given, or a stranger. The token is kept for as long as the
 * tab is open, and is sent with what depends on who asks.
 * @module viewer
 */

const KEY = 'matchwire.token';
/** What a header may carry; a token is three parts of base64url. */
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,8192}$/;

/** A browser may refuse storage; the token then lasts as long as the page. */
let token = '';
try {
  token = sessionStorage.getItem(KEY) ?? '';
} catch {
  // There is none.
}

/** The header that says who asks; none for a stranger. */
export const authorization = () => (token ? { authorization: `Bearer ${token}` } : {});

/** Whether a token was given. */
export const isPerson = () => token !== '';

/**
 * Whether a text can be a token at all.
 * @param {string} text
 * @returns {boolean}
 */
export const isToken = (text) => TOKEN.test(text);

/**
 * Looks as the person of a token from now on; as a stranger without one.
 * @param {string} text
 */
export function setToken(text) {
  token = text;
  try {
    if (text) sessionStorage.setItem(KEY, text);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Not kept, still used.
  }
}
