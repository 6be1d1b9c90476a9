/**
 * A headless Chromium, spoken to over the DevTools protocol through a pipe. It needs neither a
 * package nor a port: requests go to the browser's file descriptor 3, answers come from its 4.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--no-default-browser-check',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
  '--disable-dev-shm-usage', '--hide-scrollbars', '--mute-audio', '--remote-debugging-pipe',
];

/** A call that is not answered within this has failed. */
const CALL_MS = 30_000;

/** A running browser. */
export class Chromium {
  #process;
  #profile;
  #calls = new Map();
  #sessions = new Map();
  #lastId = 0;
  #rest = Buffer.alloc(0);

  /**
   * Starts a browser with a profile of its own.
   * @param {string} path the executable
   * @returns {Promise<Chromium>}
   */
  static async launch(path) {
    const profile = await mkdtemp(join(tmpdir(), 'console-test-'));
    const child = spawn(path, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const browser = new Chromium(child, profile);
    try {
      await browser.call('Browser.getVersion');
    } catch (error) {
      await rm(profile, { recursive: true, force: true });
      throw new Error(`${path} does not start: ${error.message}`);
    }
    return browser;
  }

  constructor(child, profile) {
    this.#process = child;
    this.#profile = profile;
    child.stdio[4].on('data', (bytes) => this.#receive(bytes));
    const gone = (why) => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the browser is gone: ${why}`));
      this.#calls.clear();
    };
    child.on('error', (error) => gone(error.message));
    child.on('exit', (code, signal) => gone(signal ?? `exit ${code}`));
    child.stdio[3].on('error', () => {});
  }

  /** Calls a method of the protocol, of the browser or of one page's session. */
  call(method, params = {}, sessionId = undefined) {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} was not answered within ${CALL_MS} ms`)), CALL_MS);
      const settle = (act) => (value) => {
        clearTimeout(timer);
        this.#calls.delete(id);
        act(value);
      };
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), method });
      this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Opens an empty page that reports what happens in it to `on(method, params)`. */
  async page(on) {
    // In a window of its own: a tab behind another one is not drawn.
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank', newWindow: true });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    this.#sessions.set(sessionId, on);
    return {
      call: (method, params) => this.call(method, params, sessionId),
      close: async () => {
        this.#sessions.delete(sessionId);
        await this.call('Target.closeTarget', { targetId });
      },
    };
  }

  /** Ends the browser and removes its profile. */
  async close() {
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    await this.call('Browser.close').catch(() => this.#process.kill('SIGKILL'));
    if (this.#process.exitCode === null && this.#process.signalCode === null) await exited;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #receive(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let end = this.#rest.indexOf(0); end >= 0; end = this.#rest.indexOf(0)) {
      const message = JSON.parse(this.#rest.subarray(0, end).toString('utf8'));
      this.#rest = this.#rest.subarray(end + 1);
      this.#handle(message);
    }
  }

  #handle({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#sessions.get(sessionId)?.(method, params);
      return;
    }
    const call = this.#calls.get(id);
    if (error) call?.reject(new Error(`${call.method}: ${error.message}`));
    else call?.resolve(result);
  }
}
