// A Socket.IO client that polls, upgrades to a WebSocket and says something, so many times in a row,
// each time with a session and a cookie of its own. Prints one line of JSON for each:
// the server that it had, whether it was upgraded, and what had failed before.
//
//   node client.js URL TIMES [stays]
//
// One that stays breaks nothing off: its next round begins when it has lost its connection.
'use strict';

const {io} = require('socket.io-client');

const [url, times] = [process.argv[2], Number(process.argv[3])];
const stays = process.argv[4] === 'stays';
const failures = [];
const socket = io(url, {transports: ['polling', 'websocket'], withCredentials: true,
                        autoConnect: false, reconnectionDelay: 50, reconnectionDelayMax: 200});
let count = 0;
let server = null;

socket.on('connect_error', error => {
  const context = error.context || {};
  failures.push(`${error.message} ${error.description || ''} ${context.responseText || ''}`);
});
socket.on('server', port => { server = port; });

function report() {
  const upgraded = socket.io.engine.transport.name === 'websocket';
  console.log(JSON.stringify({server, upgraded, failures: failures.splice(0)}));
}

socket.on('connect', () => {
  const engine = socket.io.engine;
  const talk = () => socket.timeout(10000).emit('say', `text ${count}`, (error, text) => {
    if (error || text !== `text ${count}`) failures.push(`said ${text}: ${error}`);
    report();
    if (++count === times) return socket.disconnect();
    // As a network that breaks: the client comes again by itself. Who stays waits for that.
    if (!stays) engine.close();
  });
  if (engine.transport.name === 'websocket') return talk();
  engine.once('upgrade', talk);
});
socket.connect();
