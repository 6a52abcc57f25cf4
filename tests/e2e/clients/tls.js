// Node's TLS 1.3 against an echo service: node tls.js PORT CIPHER. A large upload that comes back, a
// WebSocket with messages of many sizes, and a session that is resumed. Each check fails the process
// with its name; at the end it prints one line of JSON: what was seen.
'use strict';
const assert = require('assert');
const {randomBytes} = require('crypto');
const {once} = require('events');
const https = require('https');
const tls = require('tls');
const {WebSocket} = require('ws');

const DEADLINE_MS = 20000;
const UPLOAD_BYTES = 5 * 1024 * 1024;
const MESSAGE_SIZES = [0, 1, 16379, 16384, 16385, 65536, 3000000];

async function upload(options) {
  const body = randomBytes(UPLOAD_BYTES);
  const request = https.request({...options, path: '/echo', method: 'POST',
                                 headers: {'Content-Length': body.length}});
  request.end(body);
  const [response] = await once(request, 'response');
  assert.strictEqual(response.statusCode, 200, 'upload');
  const pieces = [];
  for await (const piece of response) pieces.push(piece);
  assert.ok(Buffer.concat(pieces).equals(body), 'upload');
}

async function talk(options) {
  const socket = new WebSocket(`wss://localhost:${options.port}/echo`, options);
  await once(socket, 'open');
  const seen = socket._socket.getCipher().name;
  for (const size of MESSAGE_SIZES) {
    const data = randomBytes(size);
    const answer = once(socket, 'message');
    socket.send(data);
    assert.ok((await answer)[0].equals(data), `message of ${size}`);
  }
  const closed = once(socket, 'close');
  socket.close(1000);
  return {cipher: seen, code: (await closed)[0]};
}

// One request on a connection of its own; how it ended is part of it.
async function ask(options, session) {
  const socket = tls.connect({...options, session});
  const tickets = [];
  socket.on('session', ticket => tickets.push(ticket));
  await once(socket, 'secureConnect');
  socket.write('GET /bytes?n=5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  socket.on('data', data => { text += data.toString('latin1'); });
  await once(socket, 'end');
  assert.ok(text.startsWith('HTTP/1.1 200 '), 'answer');
  return {ticket: tickets.pop(), reused: socket.isSessionReused(), protocol: socket.getProtocol()};
}

async function main(port, ciphers) {
  const options = {host: 'localhost', port, ciphers, minVersion: 'TLSv1.3',
                   rejectUnauthorized: false, agent: false};
  await upload(options);
  const {cipher, code} = await talk(options);
  const reused = [];
  let session;
  let protocol;
  for (let number = 0; number < 3; ++number) {
    const seen = await ask(options, session);
    reused.push(seen.reused);
    ({ticket: session, protocol} = seen);
  }
  console.log(JSON.stringify({cipher, code, protocol, reused}));
}

setTimeout(() => { console.error('too late'); process.exit(2); }, DEADLINE_MS).unref();
main(Number(process.argv[2]), process.argv[3]).then(() => process.exit(0)).catch(error => {
  console.error(error);
  process.exit(1);
});
