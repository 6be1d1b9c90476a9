/**
 * The client; matchwire.d.ts tells what is public. A `Live` has one `Line` at a time. A subscription takes its
 * frames one after another, since hashing waits.
 */

const HEARTBEAT_MS = 5_000;
const LONGEST_DRAIN_MS = 300_000;
const MAX_WAITING = 10_000;
const MAX_LINE = 1 << 24;
const MAX_STREAMS = 10_000;
const RETRY = { firstMs: 250, longestMs: 15_000, healthyMs: 5_000 };
const CHANCES = 3;
/** Errors of a topic that may pass. */
const PASSING = ['archive_away', 'busy', 'internal'];

export class MatchwireError extends Error {
  constructor(code, detail, isFinal, more) {
    super(detail ?? code);
    Object.assign(this, { ...more, name: 'MatchwireError', code, isFinal });
  }
}

export const connect = (url, options) => new Live(url, options);

class Live {
  subs = new Map();
  heardMs = 0;
  #line = null;
  #failures = 0;
  #timer;
  #watch;
  /** So many event streams begin until no WebSocket is tried. */
  #chances = CHANCES;
  #online = () => this.#timer && this.#connect();

  constructor(url = globalThis.location?.origin, { key, transport = 'auto', verify = true, retry } = {}) {
    this.base = new URL('api/v1/', `${url}`.replace(/\/*$/, '/'));
    this.headers = key ? { authorization: `Bearer ${key}` } : undefined;
    this.verify = verify && Boolean(globalThis.crypto?.subtle);
    this.retry = { ...RETRY, ...retry };
    // In a browser it has no headers for a key.
    const hasSocket = typeof WebSocket === 'function' && !(key && !globalThis.process?.versions?.node);
    if (transport === 'websocket' && !hasSocket) throw new Error('no WebSocket here, or none for a key');
    this.transport = transport === 'auto' ? (hasSocket ? 'websocket' : 'sse') : transport;
    this.canChange = transport === 'auto' && hasSocket;
    globalThis.addEventListener?.('online', this.#online);
  }

  get staleMs() {
    return Math.max(0, ...[...this.subs.values()].map((sub) => sub.staleMs));
  }

  subscribe(topic, options) {
    if (this.subs.has(topic)) throw new Error(`${topic} is subscribed to already`);
    const sub = new Subscription(this, topic, options);
    this.subs.set(topic, sub);
    const line = this.#line;
    // What is still on its way may be of an earlier subscription to it.
    if (line?.topics.has(topic)) this.restart(line, 0);
    else if (line?.isOpen) line.add(sub);
    else if (!line) this.#timer ??= setTimeout(() => this.#connect());
    return sub;
  }

  close() {
    for (const sub of [...this.subs.values()]) sub.close();
    globalThis.removeEventListener?.('online', this.#online);
  }

  async #connect() {
    this.#stopTimers();
    const line = new (this.transport === 'sse' ? Streams : Socket)(this);
    this.#line = line;
    // What the last line brought is taken first: the next one goes on behind it.
    await Promise.all([...this.subs.values()].map((sub) => sub.settled));
    if (this.#line !== line) return;
    this.heardMs = Date.now();
    this.heartbeatMs = HEARTBEAT_MS;
    this.logId = undefined;
    this.#watch = setInterval(() => Date.now() - this.heardMs > 3 * this.heartbeatMs && this.ended(line), 1_000);
    line.isOpen = true;
    try {
      line.open();
    } catch {
      this.ended(line);
    }
  }

  #stopTimers() {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#timer = undefined;
  }

  opened(line) {
    if (line.openedMs) return;
    line.openedMs = Date.now();
    this.#chances = this.transport === 'sse' ? this.#chances - 1 : CHANCES;
  }

  take(line, text, sub) {
    this.heardMs = Date.now();
    const frame = JSON.parse(text);
    if (frame.type === 'welcome') {
      this.heartbeatMs = frame.heartbeat_ms || HEARTBEAT_MS;
      this.logId = frame.log_id;
      this.opened(line);
    } else if (frame.type === 'drain') {
      line.drain(frame.retry_ms);
    } else {
      for (const each of line.topics.values()) {
        if (sub ? sub === each : [each.topic, undefined].includes(frame.topic)) each.push(line, frame, text);
      }
    }
  }

  /** Goes on from the last good cursors, since what comes over this line makes no sense. */
  restart(line, waitMs) {
    line.isVoid = true;
    this.ended(line, { waitMs });
  }

  ended(line, { code, waitMs = line.drainMs } = {}) {
    if (this.#line !== line) return;
    this.#line = null;
    this.#stopTimers();
    line.close();
    const { firstMs, longestMs, healthyMs } = this.retry;
    const isSse = this.transport === 'sse';
    if (this.canChange && (!line.openedMs || (isSse && this.#chances > 0))) this.transport = isSse ? 'websocket' : 'sse';
    if (Date.now() - line.openedMs >= healthyMs) this.#failures = 0;
    const isFinal = [4400, 4401, 4403].includes(code);
    for (const sub of [...this.subs.values()]) {
      if (isFinal) sub.fail(new MatchwireError(`closed_${code}`, `the server closed with ${code}`, true));
      else sub.interrupted();
    }
    if (this.#line || this.#timer || this.subs.size === 0) return;
    // Full jitter: a server that comes back does not meet everyone at once.
    const most = code === 4429 ? longestMs : Math.min(longestMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), waitMs ?? Math.random() * most);
  }

  drop(sub) {
    this.subs.delete(sub.topic);
    this.#line?.remove(sub);
    if (this.subs.size > 0) return;
    this.#stopTimers();
    this.#line?.close();
    this.#line = null;
  }

  again(line, sub) {
    setTimeout(() => this.#line === line && this.subs.get(sub.topic) === sub && line.add(sub), this.retry.longestMs * (1 - Math.random() / 2));
  }
}

class Line {
  topics = new Map();

  constructor(live) {
    this.live = live;
  }

  drain(ms) {
    if (ms >= 0) this.drainMs = Math.min(ms, LONGEST_DRAIN_MS);
  }
}

/** One WebSocket with all subscriptions. */
class Socket extends Line {
  #socket;

  open() {
    const { live } = this;
    const url = new URL('ws', live.base);
    url.protocol = url.protocol.replace('http', 'ws');
    const protocols = 'matchwire.v1.json';
    const socket = new WebSocket(url, live.headers ? { protocols, headers: live.headers } : protocols);
    this.#socket = socket;
    socket.onopen = () => live.subs.forEach((sub) => this.add(sub));
    socket.onmessage = ({ data }) => {
      try {
        live.take(this, data);
      } catch {
        live.restart(this);
      }
    };
    // Of a handshake that failed, not every runtime tells the close.
    socket.onerror = socket.onclose = ({ code }) => live.ended(this, { code });
  }

  add(sub) {
    if (this.#say({ type: 'subscribe', topic: sub.topic, ...sub.asked() })) this.topics.set(sub.topic, sub);
  }

  remove({ topic }) {
    this.#say({ type: 'unsubscribe', topic });
  }

  #say(frame) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  close() {
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = this.#socket.onerror = null;
    this.#socket.close();
  }
}

/** A stream of server-sent events for each subscription. */
class Streams extends Line {
  #aborts = new Map();

  open() {
    this.live.subs.forEach((sub) => this.add(sub));
  }

  add(sub) {
    this.remove(sub);
    this.topics.set(sub.topic, sub);
    const abort = new AbortController();
    this.#aborts.set(sub, abort);
    this.#read(sub, abort.signal).catch(() => ({})).then((why) => abort.signal.aborted || this.live.ended(this, why));
  }

  remove(sub) {
    this.#aborts.get(sub)?.abort();
  }

  close() {
    for (const abort of this.#aborts.values()) abort.abort();
  }

  /** Reads to the end, and answers why it ended. */
  async #read(sub, signal) {
    const { live } = this;
    const url = new URL('stream', live.base);
    url.search = new URLSearchParams({ topic: sub.topic, ...sub.asked() });
    const response = await fetch(url, { headers: live.headers, cache: 'no-store', signal });
    const { status } = response;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      const problem = await response.json().catch(() => ({}));
      return sub.fail(new MatchwireError(problem.code ?? `status_${status}`, problem.detail, true, problem));
    }
    if (status !== 200) {
      const waitMs = response.headers.get('retry-after') * 1_000 * (1 + Math.random());
      return { code: status === 429 && 4429, waitMs: waitMs || undefined };
    }
    live.opened(this);
    const [reader, decoder] = [response.body.getReader(), new TextDecoder()];
    let [rest, data, isFirst] = ['', [], true];
    // Nothing is held back: a body that waits when its connection ends is the end of Node (undici#5360).
    for (;;) {
      const { done, value } = await reader.read();
      if (done || rest.length > MAX_LINE) break;
      live.heardMs = Date.now();
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ |\r$/g, ''));
        else if (line.startsWith('retry:')) {
          // The first is the same for all.
          if (!isFirst) this.drain(line.slice(6));
          isFirst = false;
        } else if (line.startsWith(':')) sub.push(this, { type: 'heartbeat' });
        else if (line.length < 2 && data.length > 0) live.take(this, data.splice(0).join('\n'), sub);
      }
    }
    return sub.settled;
  }
}

class Subscription {
  status = 'connecting';
  waiting = 0;
  settled = Promise.resolve();
  #options;
  /** The last event of each stream, the oldest first. */
  #last = new Map();
  /** The last states of this line, by stream if there are many. */
  #patched;
  #mayJump;
  #promised;
  #isCurrent = false;
  #currentMs = -Infinity;

  constructor(live, topic, options) {
    this.live = live;
    this.topic = topic;
    this.#options = { views: ['events', 'state', 'prediction'], ...options };
    this.cursor = this.#options.after;
    if (/^\d+$/.test(this.cursor)) this.#note(topic, { seq: Number(this.cursor) });
  }

  get staleMs() {
    return Math.max(0, Date.now() - (this.#isCurrent ? this.live.heardMs : this.#currentMs));
  }

  close() {
    this.#end('closed');
  }

  asked() {
    this.#mayJump = this.#promised = undefined;
    this.#patched = new Map();
    const { views } = this.#options;
    return this.cursor === undefined ? { views } : { views, after: this.cursor };
  }

  push(line, frame, text) {
    this.waiting += 1;
    if (this.waiting > MAX_WAITING) this.live.ended(line, { waitMs: 0 });
    this.settled = this.settled.then(() => line.isVoid || this.#isOver || this.#take(line, frame, text))
      .catch(() => this.live.restart(line)).then(() => {
        this.waiting -= 1;
      });
  }

  interrupted() {
    this.#isStale();
    this.#become('reconnecting');
  }

  fail(error) {
    if (this.#isOver) return;
    this.#end('failed');
    this.#tell('onError', error);
  }

  get #isOver() {
    return ['closed', 'failed'].includes(this.status);
  }

  #end(status) {
    if (this.#isOver) return;
    this.#isStale();
    this.live.drop(this);
    this.#become(status);
  }

  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.#tell('onStatus', status);
  }

  /** What the user's own code throws stops nothing here. */
  async #tell(name, ...told) {
    try {
      await this.#options[name]?.(...told);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  }

  #take(line, frame, text) {
    switch (frame.type) {
      case 'subscribed':
        this.head = frame.head;
        if (this.cursor !== undefined) this.#isReached(this.#last.get(this.topic)?.seq);
        return this.#become('live');
      case 'snapshot':
        if (frame.seq !== undefined) this.#note(frame.subject ?? this.topic, { seq: frame.seq });
        this.cursor = frame.cursor;
        this.#isCurrent = true;
        return this.#show(line, frame, 'snapshot');
      case 'event':
        return this.#event(line, frame, text);
      case 'state':
        this.#isCurrent ||= !this.#wantsEvents;
        return this.#show(line, frame, 'update');
      case 'prediction':
        return this.#tell('onPrediction', frame.prediction, frame);
      case 'heartbeat':
        return this.#heartbeat(line, frame.heads?.[this.topic]);
      case 'reset':
        this.cursor = this.state = this.live.logId = undefined;
        this.#last.clear();
        return this.#tell('onReset', frame.reason);
      case 'error':
        return this.#refused(line, frame);
      default:
        return undefined;
    }
  }

  get #wantsEvents() {
    return this.#options.views.includes('events');
  }

  async #event(line, frame, text) {
    const { subject, seq, cursor } = frame;
    const last = this.#last.get(subject);
    if (seq <= last?.seq) return;
    if (seq > last?.seq + 1 && !this.#mayJump) {
      this.#tell('onError', new MatchwireError('gap', `${subject}: event ${seq} came after ${last.seq}`, false));
      this.live.restart(line);
      return;
    }
    this.#mayJump = false;
    let [event, verified] = [frame.event, 'none'];
    if (this.live.verify) {
      const before = seq === 1 ? await this.#genesis(subject) : last?.seq === seq - 1 && last.chain;
      try {
        [event, verified] = await this.#check(frame, text, before);
      } catch (error) {
        this.fail(new MatchwireError('tampered', `${subject}, event ${seq}: ${error.message}`, true));
        return;
      }
    }
    if (this.#isOver) return;
    this.#note(subject, { seq, chain: event.chain });
    this.cursor = cursor;
    this.#isReached(seq);
    await this.#tell('onEvent', event, { cursor, verified });
  }

  /** What is told of the event is what was hashed. */
  async #check(frame, text, before) {
    const { seq, leaf, chain } = frame.event;
    const recorded = new Date(frame.event.recordedtime);
    let stored = storedText(text);
    if (await sha256(stored) !== leaf) {
      // An event stream makes two line breaks of one that has two characters.
      stored = stored.replaceAll('\n\n', '\r\n');
      if (await sha256(stored) !== leaf) throw new Error('its bytes have another leaf');
    }
    const event = { seq, recordedtime: recorded.toISOString(), leaf, chain, ...JSON.parse(stored) };
    if (event.seq !== frame.seq || event.subject !== frame.subject) throw new Error('the frame names another event');
    if (!before) return [event, 'leaf'];
    const numbers = new DataView(new ArrayBuffer(16));
    numbers.setBigUint64(0, BigInt(seq));
    numbers.setBigInt64(8, BigInt(recorded.getTime()));
    const next = await sha256([...bytesOf(before), ...new Uint8Array(numbers.buffer), ...bytesOf(leaf)]);
    if (next !== chain) throw new Error('it does not follow from the event before');
    return [event, 'chain'];
  }

  /** The chain before the first event. An event stream does not tell the log's id. */
  async #genesis(subject) {
    const live = this.live;
    live.logId ??= await fetch(new URL('status', live.base), { headers: live.headers })
      .then((response) => response.text().then((text) => (response.ok ? JSON.parse(text).log_id : undefined)));
    return live.logId && sha256(`matchwire/1\n${live.logId}\n${subject}`);
  }

  #note(subject, last, notes = this.#last) {
    notes.delete(subject);
    notes.set(subject, last);
    if (notes.size > MAX_STREAMS) notes.delete(notes.keys().next().value);
  }

  #show(line, { subject, state, patch }, how) {
    const of = /[*]|^t/.test(this.topic) ? subject : undefined;
    if (!state && !this.#patched.has(of)) return this.live.restart(line);
    this.state = state ?? mergePatch(this.#patched.get(of), patch);
    this.#note(of, this.state, this.#patched);
    return this.#tell('onState', this.state, how, of);
  }

  /** What one heartbeat promised must have come by the next. In an event stream it promises what there was. */
  #heartbeat(line, head = this.head) {
    const isBehind = () => this.#wantsEvents && this.#promised > this.#last.get(this.topic)?.seq;
    if (isBehind()) return this.live.restart(line);
    this.#promised = Number(head);
    this.#isCurrent ||= !isBehind() && !(this.#promised < this.head);
    return undefined;
  }

  #isReached(seq) {
    this.#isCurrent ||= seq >= this.head || this.cursor === this.head;
  }

  #isStale() {
    if (this.#isCurrent) this.#currentMs = this.live.heardMs;
    this.#isCurrent = false;
  }

  #refused(line, { code, detail, ...more }) {
    const isPassed = more.subject || code === 'lost';
    const isFinal = !isPassed && !PASSING.includes(code);
    const error = new MatchwireError(code, detail, isFinal, more);
    if (isFinal) return this.fail(error);
    if (isPassed) this.#mayJump = !this.#last.delete(more.subject);
    else this.live.again(line, this);
    return this.#tell('onError', error);
  }
}

/** RFC 7396. Neither argument is changed; what the patch does not touch is shared. */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The event in a frame as it was stored: from `"specversion"` to the end of its object. */
function storedText(text) {
  const token = /[{}]|"(?:\\.|[^"\\])*"/g;
  const from = text.indexOf('"specversion"');
  token.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const [found] = token.exec(text) ?? '}';
    depth += found === '{' ? 1 : found === '}' ? -1 : 0;
  }
  return `{${text.slice(from, token.lastIndex)}`;
}

const bytesOf = (hex) => hex.match(/../g).map((pair) => parseInt(pair, 16));

async function sha256(data) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data);
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
