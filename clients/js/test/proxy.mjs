/**
 * A proxy that treats connections badly. It cuts each after a random time, in the middle of what it carries;
 * it delays what the server says, in pieces of random size; it opens connections twice, so that the server
 * has one of which nobody hears; and it keeps the server's side open for a while after a cut. It refuses
 * WebSockets and changes bytes where a test says so. What is random comes from a seed.
 */

import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { random } from './random.mjs';

const KINDS = { html: 'text/html', js: 'text/javascript' };

/**
 * @typedef {Object} Manners
 * @property {number} [cutMs] a connection that streams lives a random time up to this; never cut without it
 * @property {number} [delayMs] each piece of an answer waits a random time up to this
 * @property {number} [twice] the share of connections that are opened twice, the first one among them
 * @property {boolean} [refuses] whether WebSockets are refused
 * @property {boolean} [refusesAll] whether everybody is
 * @property {(bytes: Buffer, connection: number) => Buffer} [alter] changes what the server says
 * @property {Record<string, string>} [files] files that are served from here, by path
 */

/** A proxy in front of a server on this machine. */
export class Proxy {
  /** Connections that streamed, those that were cut, and those that were opened twice. */
  counts = { streams: 0, cut: 0, twice: 0, refused: 0 };
  /** The heads of requests, as they came. */
  heads = [];
  #server;
  #target;
  #manners;
  #random;
  #sockets = new Set();
  #ending = new AbortController();

  /**
   * @param {string} target the server's URL
   * @param {Manners} manners
   * @param {number} from the seed
   * @returns {Promise<Proxy>}
   */
  static async start(target, manners, from) {
    const proxy = new Proxy();
    setMaxListeners(0, proxy.#ending.signal);
    proxy.target = target;
    proxy.#manners = manners;
    proxy.#random = random(from);
    proxy.#server = createServer((client) => proxy.#accept(client));
    await new Promise((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}`;
    return proxy;
  }

  /** Changes the manners for connections to come. */
  set manners(manners) {
    this.#manners = { ...this.#manners, ...manners };
  }

  /** Another server for connections to come. */
  set target(url) {
    const { hostname: host, port } = new URL(url);
    this.#target = { host, port: Number(port) };
  }

  /** Cuts everything there is. */
  cutAll() {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close() {
    this.#ending.abort();
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #accept(client) {
    this.#keep(client);
    if (this.#manners.refusesAll) {
      client.destroy();
      return;
    }
    client.once('data', (first) => {
      client.pause();
      this.#begin(client, first).catch(() => client.destroy());
    });
  }

  async #begin(client, first) {
    const manners = this.#manners;
    const head = first.toString('latin1');
    this.heads.push(head);
    const [path] = head.split(' ')[1].split('?');
    if (manners.files?.[path]) {
      await this.#serve(client, manners.files[path]);
      return;
    }
    const isSocket = /^upgrade: *websocket/im.test(head);
    if (isSocket && manners.refuses) {
      this.counts.refused += 1;
      client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    const isStream = isSocket || path.startsWith('/api/v1/stream');
    // A connection has one request, so that a stream is not taken for the answer that was before it.
    const only = isSocket ? first : Buffer.from(head.replace(/^connection: *keep-alive/im, 'connection: close'), 'latin1');
    this.#carry(client, only, isStream, manners);
  }

  async #serve(client, file) {
    const body = await readFile(file);
    const kind = KINDS[file.split('.').at(-1)];
    client.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${kind}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`), body]));
  }

  #carry(client, first, isStream, manners) {
    const upstreams = [this.#keep(connect(this.#target))];
    if (isStream) this.counts.streams += 1;
    const connection = this.counts.streams;
    if (isStream && (connection === 1 ? manners.twice : this.#random() < manners.twice)) {
      this.counts.twice += 1;
      upstreams.push(this.#keep(connect(this.#target)).resume());
    }
    for (const upstream of upstreams) upstream.write(first);
    client.on('data', (bytes) => upstreams.forEach((upstream) => upstream.write(bytes)));
    client.resume();
    const [upstream] = upstreams;
    const leave = () => this.#leave(upstreams, manners);
    client.on('close', leave);
    this.#answer(upstream, client, manners, isStream ? connection : 0).catch(() => client.destroy());
    if (isStream && manners.cutMs) this.#cutLater(client, manners.cutMs);
  }

  /** Carries the server's bytes to the client in pieces, each after a while, in order. */
  async #answer(upstream, client, { delayMs, alter }, connection) {
    for await (const bytes of upstream) {
      const altered = alter && connection > 0 ? alter(bytes, connection) : bytes;
      for (let at = 0; at < altered.length;) {
        const length = delayMs ? 1 + Math.floor(this.#random() * 4_096) : altered.length;
        if (delayMs) await this.#wait(delayMs);
        if (client.destroyed) break;
        if (!client.write(altered.subarray(at, at + length))) await new Promise((resolve) => client.once('drain', resolve).once('close', resolve));
        at += length;
      }
    }
    client.end();
  }

  async #cutLater(client, cutMs) {
    await this.#wait(cutMs);
    if (client.destroyed) return;
    this.counts.cut += 1;
    // In good order, without a word, or with a reset.
    const ways = [() => client.end(), () => client.destroy(), () => client.resetAndDestroy()];
    ways[Math.floor(this.#random() * ways.length)]();
  }

  /** The server's side hears of the end only after a while. */
  async #leave(upstreams, { cutMs }) {
    for (const upstream of upstreams) upstream.resume();
    if (cutMs) await this.#wait(cutMs);
    for (const upstream of upstreams) upstream.destroy();
  }

  #wait(mostMs) {
    return pause(this.#random() * mostMs, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
