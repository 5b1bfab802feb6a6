import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { newStorage } from '../support/postgres.subject.js';

/** `ReadyForQuery`, idle: with it a connection is open. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** As a server that is shut down says it to all. */
function farewell(): Buffer {
  const fields = 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + fields.length);
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)]);
}

describe('a connection that the server ends as soon as it is open', () => {
  let proxy: Server;
  let farewells = 0;

  beforeEach(async () => {
    const target = new URL(databaseUrl());
    proxy = createServer((inner) => {
      const outer = connect(Number(target.port), target.hostname);
      let opened = false;
      inner.on('data', (bytes) => outer.write(bytes));
      outer.on('data', (bytes) => {
        const opens = !opened && bytes.includes(ready);
        opened ||= opens;
        if (!opens || farewells === 0) return void inner.write(bytes);
        farewells--;
        inner.end(Buffer.concat([bytes, farewell()]));
        outer.destroy();
      });
      for (const socket of [inner, outer]) socket.on('error', () => undefined);
      inner.on('close', () => outer.destroy());
      outer.on('close', () => inner.destroy());
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });

  afterEach(() => {
    proxy.close();
  });

  test('costs the call that asked for it, and never the process', async () => {
    const url = new URL(databaseUrl());
    url.port = String((proxy.address() as AddressInfo).port);
    const storage = newStorage({
      url: url.href,
      schema: freshSchema('farewell'),
      poolSize: 4,
      notify: false,
    });
    await storage.init();
    farewells = 3;
    // As many at once as the pool has connections: most of them have to be opened.
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => storage.now()));
    expect(answers.some(({ status }) => status === 'rejected')).toBe(true);
    expect(farewells).toBe(0);
    expect(await storage.now()).toBeGreaterThan(0);
    await storage.close();
  });
});
