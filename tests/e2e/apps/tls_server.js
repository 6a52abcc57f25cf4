// An echo service on Node's https, one port for each cipher of TLS 1.3: tls_server.js CHAIN KEY. A
// request's body comes back, with what Node saw of its TLS; a WebSocket's messages, too. Picks free
// ports, and prints them as one line of JSON.
'use strict';
const {readFileSync} = require('fs');
const https = require('https');
const {WebSocketServer} = require('ws');

const CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384',
                 'TLS_CHACHA20_POLY1305_SHA256'];

function listen(ciphers) {
  const server = https.createServer({
    cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]), ciphers,
    minVersion: 'TLSv1.3'});
  server.on('request', (request, response) => {
    response.writeHead(200, {'X-Cipher': request.socket.getCipher().name,
                             'X-Resumed': String(request.socket.isSessionReused())});
    request.pipe(response);
  });
  const sockets = new WebSocketServer({server});
  sockets.on('connection', socket => {
    socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary}));
  });
  return new Promise(done => {
    server.listen(0, '127.0.0.1', () => done([ciphers, server.address().port]));
  });
}

Promise.all(CIPHERS.map(listen)).then(ports => {
  console.log(JSON.stringify(Object.fromEntries(ports)));
});
