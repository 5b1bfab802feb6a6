// A process that gives each path always the same answer, which it is told first: `{ path: text }`.
import { once } from 'node:events';
import { createServer } from 'node:http';

process.on('disconnect', () => process.exit());
const [answers] = await once(process, 'message');
const server = createServer(({ url }, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(answers[url]);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
process.send({ url: `http://127.0.0.1:${server.address().port}` });
