// Node's own parser, strict, over requests from the standard input. Each comes behind two numbers
// of four bytes (big-endian): its size, and where its first message is said to end. Prints one line
// of JSON for each: the message, and whether it was complete just there, and not a byte sooner.
'use strict';

const {HTTPParser, methods} = process.binding('http_parser');

const HEAD_BYTES_MAX = 1 << 20;

const hex = text => Buffer.from(text, 'latin1').toString('hex');

function pairs(flat) {
  const fields = [];
  for (let at = 0; at < flat.length; at += 2) fields.push([hex(flat[at]), hex(flat[at + 1])]);
  return fields;
}

function read(bytes, end) {
  const message = {fields: [], body: '', complete: 0};
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {}, HEAD_BYTES_MAX, HTTPParser.kLenientNone);
  let headIsOver = false;
  const early = [];  // a long head comes in parts
  parser[HTTPParser.kOnHeaders] = (flat, url) => {
    if (headIsOver) return;  // trailers
    early.push(...flat);
    if (url) message.target = hex(url);
  };
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, flat, method, url) => {
    headIsOver = true;
    message.method = hex(methods[method]);
    message.minor = minor;
    if (flat !== undefined && flat !== null) early.push(...flat);
    if (url) message.target = hex(url);
    message.fields = pairs(early);
    return 0;
  };
  parser[HTTPParser.kOnBody] = data => { message.body += Buffer.from(data).toString('hex'); };
  parser[HTTPParser.kOnMessageComplete] = () => { ++message.complete; };
  for (const part of [bytes.subarray(0, end - 1), bytes.subarray(end - 1, end)]) {
    if (message.complete > 0) message.tooSoon = true;
    const done = parser.execute(Buffer.from(part));
    if (done instanceof Error) return {error: done.code, reason: done.reason};
    // With an upgrade asked for, Node tells no error, but how far it came.
    if (done !== part.length && message.complete === 0) return {error: 'stopped', at: done};
  }
  return message;
}

const input = require('fs').readFileSync(0);
const lines = [];
for (let at = 0; at < input.length;) {
  const size = input.readUInt32BE(at);
  const end = input.readUInt32BE(at + 4);
  lines.push(JSON.stringify(read(input.subarray(at + 8, at + 8 + size), end)));
  at += 8 + size;
}
process.stdout.write(lines.map(line => line + '\n').join(''));
