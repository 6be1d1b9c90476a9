/** An event as it is delivered: a CloudEvent, with what the log gave it. */
export interface Event {
  specversion: '1.0';
  id: string;
  source: string;
  /** The stream: `match/m1/1`. */
  subject: string;
  type: string;
  data?: unknown;
  /** When it happened, RFC 3339. */
  time?: string;
  /** Its number in its stream, from 1 without a gap. */
  seq: number;
  /** When the log took it, RFC 3339 with milliseconds. */
  recordedtime: string;
  /** SHA-256 of its stored bytes, in hexadecimal. */
  leaf: string;
  /** SHA-256 over everything in the stream up to it, in hexadecimal. */
  chain: string;
  [attribute: string]: unknown;
}

/** What is known of an event beside itself. */
export interface Meta {
  /** Where a reader is after it. Keep it with what you made of the event, and give it back as `after`. */
  cursor: string;
  /**
   * `chain`: leaf and chain are right, so nothing before it in its stream was changed, left out or put in, as
   * far back as this client has followed. `leaf`: its bytes are right, and the event before is not known.
   * `none`: it was not checked, since `verify` is off or the page is not in a secure context.
   */
  verified: 'chain' | 'leaf' | 'none';
}

/** A state as `GET /api/v1/matches/{match}/maps/{map}` has it; of a whole match, `match`, `series` and `maps`. */
export type State = Record<string, any>;

/** Chances in the order of the teams, as of an event. */
export type Prediction = Record<string, any>;

export type View = 'events' | 'state' | 'prediction';

/**
 * `connecting` until it was first live; `reconnecting` while the line is cut; `closed` by `close()`; `failed`
 * for good, after an error with `isFinal`.
 */
export type Status = 'connecting' | 'live' | 'reconnecting' | 'closed' | 'failed';

/** What went wrong. */
export class MatchwireError extends Error {
  /**
   * `gap`: an event was missing and is asked for again. `tampered`: an event does not have the hashes that it
   * names. `closed_4400` and its like: the close code. Otherwise the server's own code: `lost` for events that
   * the log has lost for good, `trimmed` (with `floor`), `cursor`, `topic`, `archive_away` …
   */
  code: string;
  /** Whether the subscription is over. */
  isFinal: boolean;
  /** Of `trimmed`, the last event that is gone. */
  floor?: { seq: number; chain: string };
}

/** How to connect. */
export interface Options {
  /** Sent as `Authorization: Bearer`. In a browser that needs event streams, which `auto` takes then. */
  key?: string;
  /** `auto` (the default) is a WebSocket, and event streams (SSE) where none gets through. */
  transport?: 'auto' | 'websocket' | 'sse';
  /** Whether `leaf` and `chain` are computed again; true by default. Needs WebCrypto, so HTTPS or localhost in a browser. */
  verify?: boolean;
  /**
   * The wait before the next attempt is random, from 0 to `firstMs` (250), doubled with each failure up to
   * `longestMs` (15,000). A line that lasted `healthyMs` (5,000) begins anew.
   */
  retry?: { firstMs?: number; longestMs?: number; healthyMs?: number };
}

/** What to follow, and who is told. A listener that answers a promise is waited for before the next call. */
export interface Listeners {
  /** The cursor to go on from, or a `seq` of a single stream; 0 is from the beginning. Without it there is a snapshot first. */
  after?: string | number;
  /** All of them if left out. */
  views?: View[];
  /** Every event, once, in the order of its stream. */
  onEvent?(event: Event, meta: Meta): unknown;
  /**
   * The state is new. `snapshot` comes first, and after a reset; it stands for all events up to it. States are not changed afterwards. Of a
   * topic of many matches each stream has its own, that of `subject`; 4,096 are kept up at a time.
   */
  onState?(state: State, how: 'snapshot' | 'update', subject?: string): unknown;
  /** A prediction; `frame` has its `seq`, and the `subject` where the topic has several streams. */
  onPrediction?(prediction: Prediction, frame: { seq: number; subject?: string; [field: string]: unknown }): unknown;
  onStatus?(status: Status): unknown;
  /** The log's history is another one than what was told: all that was held is void, and a snapshot follows. */
  onReset?(reason: string): unknown;
  onError?(error: MatchwireError): unknown;
}

/** One topic that is followed. */
export interface Subscription {
  readonly topic: string;
  readonly status: Status;
  /** The last state; undefined before the first. Of a topic of many matches, that of the stream that moved last. */
  readonly state: State | undefined;
  /** Where it is: after the last event that was told, or the snapshot. */
  readonly cursor: string | number | undefined;
  /** What there was when it last began to follow: a `seq`, or a cursor of a topic of several streams. 0 is nothing yet. */
  readonly head: string | number | undefined;
  /**
   * Milliseconds since it was last known to be up to date. A line that is well is heard every five seconds;
   * `Infinity` before it was up to date for the first time.
   */
  readonly staleMs: number;
  /** Leaves the topic. */
  close(): void;
}

/** A connection to a server, which is made when there is something to follow, and again whenever it breaks. */
export interface Live {
  /** What is in use now. */
  readonly transport: 'websocket' | 'sse';
  /** That of its stalest subscription; 0 without any. */
  readonly staleMs: number;
  /**
   * Follows a topic: `match/m1/1`, `match/m1` for a match with its maps, `match/**` and the like for many
   * matches, or `tournament/t/matches`. Throws if it is followed already.
   */
  subscribe(topic: string, listeners?: Listeners): Subscription;
  /** Leaves all topics. */
  close(): void;
}

/**
 * A client of the server at a URL, by default the page's own. Throws at what is no URL, and where a WebSocket
 * is asked for that there is not.
 */
export function connect(url?: string | URL, options?: Options): Live;

/** What a value is after a merge patch (RFC 7396). Neither argument is changed; what the patch does not touch is shared. */
export function mergePatch(target: unknown, patch: unknown): any;
