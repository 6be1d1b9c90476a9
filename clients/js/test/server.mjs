/**
 * A real server for the tests: the binary that `MATCHWIRE_BIN` names, with a data directory of its own.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program. */
export const BINARY = process.env.MATCHWIRE_BIN ?? fileURLToPath(new URL('../../../target/debug/matchwire', import.meta.url));
/** What has not come true within this will not. */
const WAIT_MS = 60_000;

/** Waits until a condition is true, asking again soon. */
export async function until(what, holds) {
  for (const end = Date.now() + WAIT_MS; ;) {
    const answer = await holds();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`within ${WAIT_MS} ms this did not come true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A server that runs. */
export class Server {
  #process;
  #folder;
  #args;
  #said = '';

  /**
   * @param {string[]} args the command and its flags; the address and the data directory are added
   * @returns {Promise<Server>}
   */
  static async start(...args) {
    const server = new Server();
    server.#folder = await mkdtemp(join(tmpdir(), 'client-test-'));
    const data = args[0] === 'serve' ? ['--data', join(server.#folder, 'data')] : [];
    server.#args = [...args, '--listen', '127.0.0.1:0', ...data];
    await server.#run();
    return server;
  }

  async #run() {
    this.#said = '';
    this.#process = spawn(BINARY, this.#args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: this.#folder } });
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      output.setEncoding('utf8').on('data', (text) => { this.#said = (this.#said + text).slice(-100_000); });
    }
    this.url = await until(`${BINARY} tells its address`, () => {
      assert.equal(this.#process.exitCode, null, this.#said);
      return /http:\/\/127\.0\.0\.1:\d+/.exec(this.#said)?.[0];
    });
    await until('it is ready', () => fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false));
  }

  /** Ends it in good order and starts it again with its data, at another address. */
  async restart() {
    await this.#end();
    await this.#run();
  }

  /** Whether it has said so. */
  hasSaid(words) {
    return this.#said.includes(words);
  }

  async #end() {
    const ended = new Promise((resolve) => { this.#process.once('exit', resolve); });
    if (this.#process.exitCode !== null) return;
    this.#process.kill('SIGTERM');
    await ended;
  }

  async stop() {
    await this.#end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async get(path) {
    const response = await fetch(`${this.url}/api/v1${path}`);
    assert.equal(response.status, 200, path);
    return response.json();
  }

  /** Every event of a stream, as the API has it. */
  async events(subject) {
    const all = [];
    for (let page; (page = (await this.get(`/events?subject=${subject}&after=${all.at(-1)?.seq ?? 0}&limit=1000`)).events).length > 0;) all.push(...page);
    return all;
  }

  /** Sends events, until all are taken: a busy server leaves some out that matter least. */
  async post(events) {
    const body = events.map((event) => JSON.stringify(event)).join('\n');
    await until('the events are taken', async () => {
      const response = await fetch(`${this.url}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
      const { results } = await response.json();
      return results?.every(({ status }) => status === 'appended' || status === 'duplicate');
    });
  }
}

let lastId = 0;

/** An event of a type of one's own. */
export function note(subject, data) {
  lastId += 1;
  return { specversion: '1.0', id: `e${lastId}`, source: 'client-test', subject, type: 'x.note', data };
}
