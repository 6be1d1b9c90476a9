/**
 * The live feed of one map over the WebSocket: subscribes, keeps the state by merge patches, and
 * after a cut goes on where it was, so that every event is told exactly once.
 * @module feed
 */

const SUBPROTOCOL = 'matchwire.v1.json';
const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 15_000;
/** The server sends a heartbeat every 5 s; after three the line is dead. */
const SILENCE_MS = 16_000;
const PING_MS = 20_000;
/** How long `resumed` is shown before it is `live` again. */
const RESUMED_MS = 4_000;

/**
 * @typedef {Object} Listener
 * @property {(state: Object, how: 'snapshot'|'update') => void} state the state is new
 * @property {(event: Object) => void} [event] the next event of the stream
 * @property {(prediction: Object) => void} [prediction]
 * @property {(status: 'connecting'|'live'|'reconnecting'|'resumed'|'refused') => void} [connection]
 * @property {() => void} [empty] the stream has no events yet
 * @property {() => void} [resumed] the line was cut and events that were missed follow
 */

/** A subscription to one topic, which stays until it is closed. */
export class Feed {
  #topic;
  #views;
  #listener;
  #socket = null;
  /** The last event that was told; undefined before the first snapshot. */
  #seq;
  /** Where that is, in the server's words; it is given back as it came. */
  #cursor;
  /** What the server last sent over this connection; patches are against it. */
  #base = null;
  #failures = 0;
  #heardMs = 0;
  #behind = 0;
  #timers = {};

  /**
   * @param {string} topic `match/m1/1`
   * @param {('events'|'state'|'prediction')[]} views
   * @param {Listener} listener
   */
  constructor(topic, views, listener) {
    this.#topic = topic;
    this.#views = views;
    this.#listener = listener;
    this.retryNow = this.retryNow.bind(this);
  }

  /** Connects, and again whenever the line is cut. */
  open() {
    addEventListener('online', this.retryNow);
    this.#timers.watch = setInterval(() => this.#watch(), 2_000);
    this.#timers.ping = setInterval(() => this.#send({ type: 'ping' }), PING_MS);
    this.#listener.connection?.('connecting');
    this.#connect();
  }

  /** Leaves for good. */
  close() {
    removeEventListener('online', this.retryNow);
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#drop(1000);
  }

  /** Tries again at once, as when the network is back. */
  retryNow() {
    if (this.#socket || !this.#timers.retry) return;
    clearTimeout(this.#timers.retry);
    this.#connect();
  }

  #connect() {
    const url = new URL('/api/v1/ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket = socket;
    this.#base = null;
    this.#heardMs = Date.now();
    socket.onopen = () => this.#subscribe();
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lost(code);
  }

  #subscribe() {
    const after = this.#cursor;
    this.#send({ type: 'subscribe', topic: this.#topic, views: this.#views, ...(after !== undefined && { after }) });
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** Lets go of the socket; its late frames and its close are not heard any more. */
  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #lost(code) {
    this.#socket = null;
    clearTimeout(this.#timers.settle);
    if (code === 4401 || code === 4403) {
      this.#listener.connection?.('refused');
      return;
    }
    this.#listener.connection?.(this.#seq === undefined && this.#failures === 0 ? 'connecting' : 'reconnecting');
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    // Spread, so that a server that comes back does not meet everyone at once.
    this.#timers.retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  #restart() {
    this.#drop(1000);
    this.#lost(1006);
  }

  #watch() {
    if (this.#socket && Date.now() - this.#heardMs > SILENCE_MS) this.#restart();
  }

  #take(frame) {
    this.#heardMs = Date.now();
    if (frame.topic !== undefined && frame.topic !== this.#topic) return;
    switch (frame.type) {
      case 'subscribed':
        return this.#subscribed(frame);
      case 'snapshot':
        this.#seq = frame.seq;
        this.#cursor = frame.cursor;
        return this.#show(frame.state, 'snapshot');
      case 'event':
        return this.#event(frame);
      case 'state':
        return this.#state(frame);
      case 'prediction':
        return this.#listener.prediction?.(frame.prediction ?? frame);
      case 'heartbeat':
        return this.#heartbeat(frame.heads ?? {});
      case 'reset':
        this.#forget();
        this.#base = null;
        return undefined;
      case 'error':
        // Where we were may be what it does not take; so from the beginning, after a while.
        this.#forget();
        return this.#restart();
      default:
        return undefined;
    }
  }

  #subscribed({ head }) {
    this.#failures = 0;
    this.#behind = 0;
    if (head === 0) this.#listener.empty?.();
    if (this.#seq === undefined) {
      this.#listener.connection?.('live');
      return;
    }
    this.#listener.connection?.('resumed');
    this.#listener.resumed?.();
    this.#timers.settle = setTimeout(() => this.#listener.connection?.('live'), RESUMED_MS);
  }

  /** Begins again with a snapshot, whenever it subscribes next. */
  #forget() {
    this.#seq = undefined;
    this.#cursor = undefined;
  }

  #event({ seq, cursor, event }) {
    this.#behind = 0;
    if (this.#seq !== undefined && seq <= this.#seq) return;
    // Events are consecutive; should one be missing, ask again from the last that we have.
    if (this.#seq !== undefined && seq > this.#seq + 1) {
      this.#restart();
      return;
    }
    this.#seq = seq;
    this.#cursor = cursor;
    this.#listener.event?.(event);
  }

  #state(frame) {
    if (frame.state) this.#show(frame.state, 'update');
    else if (this.#base) this.#show(mergePatch(this.#base, frame.patch), 'update');
    else {
      // A patch against what we never got: begin again with a snapshot.
      this.#forget();
      this.#restart();
    }
  }

  #show(state, how) {
    this.#base = state;
    this.#listener.state(state, how);
  }

  /** A head that stays ahead of us over two heartbeats means that frames were lost. */
  #heartbeat(heads) {
    const head = heads[this.#topic];
    const isBehind = this.#views.includes('events') && Number.isInteger(head) && head > (this.#seq ?? head);
    this.#behind = isBehind ? this.#behind + 1 : 0;
    if (this.#behind >= 2) this.#restart();
  }
}

/**
 * RFC 7396: what a value is after a merge patch. Neither argument is changed; what the patch does
 * not touch is shared.
 * @param {*} target
 * @param {*} patch
 * @returns {*}
 */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
