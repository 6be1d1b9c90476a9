/**
 * What happened lately on a map: kills, the bomb, the ends of rounds. A state holds the kills of its
 * own round only; this keeps those before, taken from the events. What a referee made void stays, and
 * says so; what was amended is as it is told to have been.
 * @module play_log
 */

import { corrected, inForce, isCorrection } from './corrections.js';

/** More is history, which the event API has. */
const MAX_ITEMS = 150;

/** Events that void the play before them. */
const VOIDING = new Set(['map.loaded', 'match.started', 'match.restarting', 'match.reloaded']);

const BOMB = { 'bomb.planted': 'planted', 'bomb.defused': 'defused', 'bomb.exploded': 'exploded' };

/**
 * @typedef {{seq: number, isVoid?: boolean, isAmended?: boolean, kind: 'kill'|'death'|'bomb'|'round', killer?: string, victim?: string, weapon?: string, headshot?: boolean, trade?: boolean, team_kill?: boolean, assister?: string, flash_assister?: string, penetrated?: boolean, through_smoke?: boolean, no_scope?: boolean, attacker_blind?: boolean, cause?: string, what?: string, player?: string, site?: string, side?: string, reason?: string}} Play
 */

export class PlayLog {
  /** @type {Map<number, Play>} */
  #plays = new Map();
  /** Play before this event is void. */
  #from = 0;
  /** After the end nothing counts, until another map is loaded. */
  #isOver = false;

  /**
   * The log of some events, with what corrects them among them.
   * @param {{seq: number, type: string, data?: Object}[]} events ascending by seq
   * @returns {PlayLog}
   */
  static of(events) {
    const log = new PlayLog();
    const verdicts = inForce(events);
    for (const event of events) {
      const verdict = verdicts.get(event.seq);
      const now = corrected(event, verdict);
      // What is void changes nothing else: a restart that was none voids no play.
      if (!now) log.#note(event.seq, event.type, event.time, { ...event.data, isVoid: true });
      else log.take(verdict ? { ...now, data: { ...now.data, isAmended: true } } : event);
    }
    return log;
  }

  /**
   * Takes the next event.
   * @param {{seq: number, type: string, data?: Object}} event
   * @returns {boolean} whether it makes void what was before it, or corrects it
   */
  take({ seq, type, time, data = {} }) {
    if (isCorrection({ type })) return true;
    if (this.#isOver && type !== 'map.loaded') return false;
    this.#isOver = type === 'map.ended';
    if (VOIDING.has(type)) {
      this.#void(seq);
      return true;
    }
    this.#note(seq, type, time, data);
    return false;
  }

  #note(seq, type, time, data) {
    if (type === 'player.killed') this.#put({ seq, kind: 'kill', time, ...data });
    else if (type === 'player.assisted') this.#assist(seq, data);
    else if (type === 'player.died') this.#put({ seq, kind: 'death', time, ...data, victim: data.player });
    else if (type in BOMB) this.#put({ seq, kind: 'bomb', what: BOMB[type], ...data });
    else if (type === 'round.ended') this.#put({ seq, kind: 'round', ...data, side: data.winner });
  }

  /**
   * Takes what the fold knows better: trades, assists, who was a teammate.
   * @param {Object} state
   */
  correct(state) {
    const plays = this.latest();
    for (const [number, kill] of Object.entries(state.kills ?? {})) {
      const is = (play) => play.kind === 'kill' && !play.isVoid && play.victim === kill.victim && play.killer === kill.killer
        && Date.parse(play.time) === Date.parse(kill.time);
      // One from before this page was open has no event here; it stands before all that have.
      const seq = plays.find(is)?.seq ?? state.seq - 1 + Number(number) / 1000;
      this.#put({ ...this.#plays.get(seq), ...kill, seq, kind: 'kill' });
    }
  }

  /** The plays, latest first. */
  latest() {
    return [...this.#plays.values()].sort((a, b) => b.seq - a.seq);
  }

  /** An assist is told just after the death that it belongs to. */
  #assist(seq, { assister, victim, flash, isVoid }) {
    if (isVoid) return;
    const kill = this.latest().find((play) => play.seq < seq && play.kind === 'kill' && !play.isVoid && play.victim === victim);
    if (kill) this.#put({ ...kill, [flash ? 'flash_assister' : 'assister']: assister });
  }

  #void(seq) {
    this.#from = Math.max(this.#from, seq);
    for (const key of this.#plays.keys()) if (key < this.#from) this.#plays.delete(key);
  }

  #put(play) {
    if (play.seq < this.#from) return;
    this.#plays.set(play.seq, play);
    if (this.#plays.size > MAX_ITEMS) this.#plays.delete(Math.min(...this.#plays.keys()));
  }
}
