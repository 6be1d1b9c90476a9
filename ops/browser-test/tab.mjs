/**
 * A page in the browser, as the tests of the console use it: it waits for conditions, and notes
 * everything that goes wrong.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A condition that has not come true within this will not. */
const WAIT_MS = 20_000;

/** A page of the browser with everything that went wrong in it. */
export class Tab {
  /** Opens a page in a window of a size, in light or dark. `origin` is told to the API in place of the page's own. */
  static async open(browser, url, { width, height }, scheme, origin = undefined) {
    const tab = new Tab();
    tab.base = url;
    tab.width = width;
    tab.problems = [];
    tab.urls = new Map();
    tab.page = await browser.page((method, params) => tab.#note(method, params));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await tab.page.call(`${domain}.enable`);
    await tab.page.call('Emulation.setFocusEmulationEnabled', { enabled: true });
    await tab.page.call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await tab.page.call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    tab.origin = origin;
    if (origin) await tab.page.call('Fetch.enable', { patterns: [{ urlPattern: '*/api/*' }] });
    const { errorText } = await tab.page.call('Page.navigate', { url: url.href });
    if (errorText) throw new Error(`${url.href} does not open: ${errorText}`);
    return tab;
  }

  #note(method, params) {
    if (method === 'Fetch.requestPaused') {
      const headers = Object.entries({ ...params.request.headers, Origin: this.origin }).map(([name, value]) => ({ name, value }));
      this.page.call('Fetch.continueRequest', { requestId: params.requestId, headers }).catch((error) => this.problems.push(error.message));
    } else if (method === 'Runtime.exceptionThrown') {
      const { exception, text } = params.exceptionDetails;
      this.problems.push(`exception: ${exception?.description ?? text}`);
    } else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type)) {
      this.problems.push(`console ${params.type}: ${params.args.map((arg) => arg.value ?? arg.description).join(' ')}`);
    } else if (method === 'Log.entryAdded' && params.entry.level === 'error') {
      this.problems.push(`log: ${params.entry.text} ${params.entry.url ?? ''}`);
    } else if (method === 'Network.requestWillBeSent') {
      this.#request(params.requestId, params.request.url);
    } else if (method === 'Network.webSocketCreated') {
      this.#request(params.requestId, params.url);
    } else if (method === 'Network.responseReceived' && params.response.status >= 400) {
      this.problems.push(`${params.response.status} for ${params.response.url}`);
    } else if (method === 'Network.loadingFailed' && !params.canceled) {
      this.problems.push(`failed: ${this.urls.get(params.requestId)}: ${params.errorText}`);
    }
  }

  #request(id, url) {
    this.urls.set(id, url);
    const { host, protocol } = new URL(url);
    // The browser's own pictograms are in their address.
    if (protocol === 'data:') return;
    if (host !== this.base.host || !/^(https?|wss?):$/.test(protocol)) this.problems.push(`request to the outside: ${url}`);
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.page.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  /** Waits in the page until an expression is true, looking once a frame. */
  async until(expression) {
    const seen = await this.evaluate(`new Promise((resolve) => {
      const end = performance.now() + ${WAIT_MS};
      const look = () => {
        if (${expression}) resolve(true);
        else if (performance.now() > end) resolve(false);
        else requestAnimationFrame(look);
      };
      look();
    })`);
    assert.ok(seen, `within ${WAIT_MS} ms this did not come true: ${expression}\n  ${this.problems.join('\n  ')}`);
  }

  /** Clicks on what a selector finds, as soon as it is there and can be clicked. */
  async click(selector) {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(`${found} && !${found}.disabled && !${found}.hidden`);
    await this.evaluate(`${found}.click()`);
  }

  /** Writes into a field, or chooses an option by its value. */
  async fill(selector, value) {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(found);
    await this.evaluate(`{ const field = ${found}; field.value = ${JSON.stringify(value)}; field.dispatchEvent(new Event('input', { bubbles: true })); }`);
  }

  /** Goes to another page of the console without loading it anew. */
  async go(hash) {
    await this.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** What holds for every page of the console. */
  async checkSound(scheme) {
    const wide = await this.evaluate('document.documentElement.scrollWidth');
    assert.ok(wide <= this.width, `the page is ${wide} px wide in a window of ${this.width} px`);
    if (scheme) {
      const ground = await this.evaluate(`getComputedStyle(document.body.parentElement).backgroundColor`);
      const [red] = ground.match(/\d+/g).map(Number);
      assert.equal(red < 128 ? 'dark' : 'light', scheme, `the ground is ${ground}`);
    }
    assert.deepEqual(this.problems, [], 'console errors, failed or outside requests');
  }

  /** Keeps a picture of the whole page in a folder, if there is one. */
  async screenshot(folder, name) {
    if (!folder) return;
    const { cssContentSize: size } = await this.page.call('Page.getLayoutMetrics');
    const clip = { x: 0, y: 0, width: this.width, height: Math.ceil(size.height), scale: 1 };
    const { data } = await this.page.call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    await writeFile(join(folder, `${name}.png`), Buffer.from(data, 'base64'));
  }
}
