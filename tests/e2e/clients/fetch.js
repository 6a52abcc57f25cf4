// Node's fetch against an application: node fetch.js URL COUNT. Downloads and uploads in turn, each
// checked; at the end it prints one line of JSON: how many connections that took.
'use strict';
const assert = require('assert');
const {createHash} = require('crypto');
const diagnostics = require('diagnostics_channel');

const DEADLINE_MS = 20000;
const UPLOAD = Buffer.alloc(20000, 'u');

let connections = 0;
diagnostics.subscribe('undici:client:connected', () => { ++connections; });

async function download(url, size) {
  const response = await fetch(`${url}/${size % 2 ? 'stream' : 'download'}?n=${size}`);
  assert.strictEqual(response.status, 200, 'download');
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(Buffer.alloc(size, 'd')), 'download');
}

async function upload(url) {
  const response = await fetch(`${url}/upload`, {method: 'POST', body: UPLOAD});
  const sha256 = createHash('sha256').update(UPLOAD).digest('hex');
  assert.deepStrictEqual(await response.json(), {bytes: UPLOAD.length, sha256}, 'upload');
}

async function main(url, count) {
  for (let number = 0; number < count; ++number) {
    if (number % 5 === 4) {
      await upload(url);
    } else {
      await download(url, number * 37);
    }
  }
  console.log(JSON.stringify({connections}));
}

setTimeout(() => { console.error('too late'); process.exit(2); }, DEADLINE_MS).unref();
main(process.argv[2], Number(process.argv[3])).then(() => process.exit(0)).catch(error => {
  console.error(error);
  process.exit(1);
});
