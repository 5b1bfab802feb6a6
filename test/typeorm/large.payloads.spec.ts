import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { NestFactory } from '@nestjs/core';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** What the server has answered, in bytes. */
let answered = 0;
let server: Server;
const url = new URL(databaseUrl());

beforeAll(async () => {
  const { hostname, port } = url;
  server = createServer((socket) => {
    const upstream = connect(Number(port), hostname).on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    upstream.on('data', (chunk: Buffer) => (answered += chunk.length));
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const payload = 'x'.repeat(200_000);

test('changes of many jobs read no payloads, of recurring jobs and of one-offs', async () => {
  const storage = newStorage({ schema: freshSchema('payloads'), url: url.href });
  const module = ChronisModule.forRoot({ storage, autoStart: false, allowUnknownHandler: true, log: false });
  const app = await NestFactory.createApplicationContext(
    { module: class {}, imports: [module] },
    { logger: false },
  );
  const scheduler = app.get(SchedulerService);
  for (let n = 0; n < 10; n++) {
    await scheduler.schedule('work', { id: `often ${n}`, every: '1h', payload });
    await scheduler.schedule('work', { id: `once ${n}`, in: '1h', payload });
  }
  answered = 0;
  const filter = { handler: 'work' };
  expect(await scheduler.pauseMany(filter)).toMatchObject({ matched: 20, changed: 20 });
  expect(await scheduler.resumeMany(filter)).toMatchObject({ matched: 20, changed: 20 });
  expect(await scheduler.cancelMany(filter)).toMatchObject({ matched: 20, changed: 10 });
  expect(await scheduler.deleteMany(filter, { dryRun: true })).toMatchObject({ matched: 10 });
  expect(answered).toBeLessThan(payload.length);
  const { items } = await scheduler.queryJobs(filter);
  expect(items.map((job) => job.payload)).toEqual(Array(10).fill(payload));
  expect(await scheduler.deleteMany(filter)).toMatchObject({ matched: 10, changed: 10 });
  await app.close();
});
