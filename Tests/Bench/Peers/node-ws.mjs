// The echo server of Node's `ws`, whose default is no compression.
//
//   NODE_WS=/path/to/ws node node-ws.mjs PORT

const { WebSocketServer } = await import(`${process.env.NODE_WS}/wrapper.mjs`);

const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096, maxPayload: 16 * 1024,
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
