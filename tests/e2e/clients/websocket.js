// Node's ws against an echo service: node websocket.js URL. Each check fails the process with its
// name; at the end it prints one line of JSON: what was seen.
'use strict';
const assert = require('assert');
const {once} = require('events');
const {WebSocket} = require('ws');

const DEADLINE_MS = 20000;

async function echoed(socket, data, options) {
  const answer = once(socket, 'message');
  socket.send(data, options);
  const [message, isBinary] = await answer;
  return {message, isBinary};
}

async function main(url) {
  const socket = new WebSocket(url, ['chat.v1', 'chat.v2'], {rejectUnauthorized: false});
  await once(socket, 'open');
  assert.strictEqual(socket.protocol, 'chat.v1', 'subprotocol');

  const text = await echoed(socket, 'grüße 👋');
  assert.strictEqual(text.isBinary, false, 'text');
  assert.strictEqual(text.message.toString(), 'grüße 👋', 'text');

  for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
    const data = Buffer.alloc(size, 'abcdefghijk');
    const binary = await echoed(socket, data);
    assert.strictEqual(binary.isBinary, true, `binary of ${size}`);
    assert.ok(binary.message.equals(data), `binary of ${size}`);
  }

  const whole = once(socket, 'message');
  socket.send('one ', {fin: false});
  socket.ping('between');
  socket.send('two ', {fin: false});
  socket.send('three', {fin: true});
  assert.strictEqual((await whole)[0].toString(), 'one two three', 'fragments');

  const pong = once(socket, 'pong');
  socket.ping('are you there?');
  assert.strictEqual((await pong)[0].toString(), 'are you there?', 'pong');

  const closed = once(socket, 'close');
  socket.close(4001, 'tschüss');
  const [code, reason] = await closed;
  console.log(JSON.stringify({code, reason: reason.toString(), protocol: socket.protocol}));
}

setTimeout(() => { console.error('too late'); process.exit(2); }, DEADLINE_MS).unref();
main(process.argv[2]).catch(error => { console.error(error); process.exit(1); });
