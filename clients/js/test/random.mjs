/**
 * Randomness that can be had again: `MATCHWIRE_SEED` gives the seed, which is printed.
 */

/** The seed of this run. */
export const seed = Number(process.env.MATCHWIRE_SEED ?? Math.floor(Math.random() * 2 ** 32));
console.log(`MATCHWIRE_SEED=${seed}`);

/**
 * Mulberry32: numbers in [0, 1).
 * @param {number} from
 * @returns {() => number}
 */
export function random(from) {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
