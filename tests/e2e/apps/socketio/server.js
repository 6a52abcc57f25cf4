// A Socket.IO server as most are: one process, sessions in its memory. Picks a port, unless it is
// given one, and prints it. Each client is told which server it has; what it says comes back.
'use strict';

const http = require('http');
const {Server} = require('socket.io');

const web = http.createServer((request, response) => response.writeHead(404).end());
const io = new Server(web, {pingInterval: 5000, pingTimeout: 5000});

io.on('connection', socket => {
  socket.emit('server', web.address().port);
  socket.on('say', (text, reply) => reply(text));
});

web.listen(Number(process.argv[2] || 0), '127.0.0.1', () => {
  console.log(`listening on ${web.address().port}`);
});
