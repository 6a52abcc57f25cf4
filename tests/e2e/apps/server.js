// An application on Node's http: pages, downloads, uploads, server-sent events and long polling.
// Picks a free port, and prints it. What is published goes to every listener and to every poll.
'use strict';

const {createHash} = require('crypto');
const {readFileSync} = require('fs');
const http = require('http');
const path = require('path');

const page = readFileSync(path.join(__dirname, 'page.html'));
const listeners = new Set();
const polls = new Set();

function sendText(response, text, type = 'text/plain') {
  response.writeHead(200, {'Content-Type': type, 'Content-Length': Buffer.byteLength(text)});
  response.end(text);
}

function sendJson(response, value) {
  sendText(response, JSON.stringify(value), 'application/json');
}

function download(response, size, chunked) {
  response.writeHead(200, chunked ? {} : {'Content-Length': size});
  let left = size;
  const push = () => {
    while (left > 0) {
      const piece = Math.min(left, 10000);
      left -= piece;
      if (!response.write(Buffer.alloc(piece, 'd'))) return response.once('drain', push);
    }
    return response.end();
  };
  push();
}

function upload(request, response) {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', data => { bytes += data.length; hash.update(data); });
  request.on('end', () => sendJson(response, {bytes, sha256: hash.digest('hex')}));
}

function publish(request, response) {
  let text = '';
  request.on('data', data => { text += data; });
  request.on('end', () => {
    for (const listener of listeners) listener.write(`data: ${text}\n\n`);
    for (const poll of polls) sendText(poll, text);
    polls.clear();
    sendText(response, 'published');
  });
}

function join(set, response) {
  set.add(response);
  response.on('close', () => set.delete(response));
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://application');
  switch (url.pathname) {
    case '/page': return sendText(response, page, 'text/html');
    case '/download': return download(response, Number(url.searchParams.get('n')), false);
    case '/stream': return download(response, Number(url.searchParams.get('n')), true);
    case '/upload': return upload(request, response);
    case '/events':
      response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
      response.flushHeaders();
      return join(listeners, response);
    case '/poll': return join(polls, response);
    case '/publish': return publish(request, response);
    case '/state': return sendJson(response, {listeners: listeners.size, polls: polls.size});
    default:
      response.writeHead(404, {'Content-Length': 0});
      return response.end();
  }
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
