/**
 * What holds for the module without a server: its size, its exports, merge patches.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';

import * as client from '../matchwire.js';

const read = (name) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

it('has at most 6 KiB, compressed, and no dependencies', async () => {
  const text = await read('matchwire.js');
  const bytes = gzipSync(text, { level: 9 }).length;
  console.log(`${bytes} bytes with gzip -9`);
  assert.ok(bytes <= 6_144, `${bytes} bytes`);
  assert.doesNotMatch(text, /^import |import\(/m);
  assert.equal(JSON.parse(await read('package.json')).dependencies, undefined);
});

it('exports what its types tell', async () => {
  const told = [...(await read('matchwire.d.ts')).matchAll(/^export (?:function|class) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(client).sort(), told.sort());
});

it('has an example of at most 30 lines', async () => {
  assert.ok((await read('example.html')).trimEnd().split('\n').length <= 30);
});

it('merges patches as RFC 7396 has it', () => {
  const cases = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'], ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'], ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'], ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'], ['{"a":"b"}', '["c"]', '["c"]'], ['{"a":"foo"}', 'null', 'null'], ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'], ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'], ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"b":2}}', '{"__proto__":{"a":1,"b":2}}'],
  ];
  for (const [target, patch, wanted] of cases) {
    const before = JSON.parse(target);
    assert.equal(JSON.stringify(client.mergePatch(before, JSON.parse(patch))), wanted, `${target} and ${patch}`);
    assert.equal(JSON.stringify(before), target, 'the target is not changed');
  }
  assert.equal({}.a, undefined);
});

it('refuses what is no URL', () => {
  assert.throws(() => client.connect('nonsense'), /URL/);
  assert.throws(() => client.connect(undefined), /URL/);
});
