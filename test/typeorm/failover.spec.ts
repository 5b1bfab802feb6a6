import { afterEach, describe, expect, test } from 'vitest';
import { StorageError, type StorageAdapter } from '../../lib/index.js';
import type { TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { TcpProxy } from '../chaos/tcp.proxy.js';
import { startPostgres } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';
import {
  replicationBinaries,
  replicationNeeds,
  startServer,
  type ClusterServer,
} from '../support/standby.js';
import pg from 'pg';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function opened(
  url: string,
  options: TypeOrmStorageOptions = { notify: false },
): Promise<StorageAdapter> {
  const storage = newStorage({ url, ...options });
  closing.unshift(() => storage.close());
  await storage.init();
  return storage;
}

function urlBy(proxy: TcpProxy): string {
  return `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
}

describe('a server that becomes read-only below open connections', () => {
  /** A storage on a server that is made read-only, by an address that leads to another one from then on. */
  async function fenced(
    options: TypeOrmStorageOptions,
  ): Promise<{ storage: StorageAdapter; fence: () => Promise<void> }> {
    const [first, second] = [await startPostgres(), await startPostgres()];
    closing.push(
      () => first.stop(),
      () => second.stop(),
    );
    await (await opened(second.url)).close();
    const proxy = await TcpProxy.to(first.port);
    closing.unshift(() => proxy.close());
    const storage = await opened(urlBy(proxy), options);
    const fence = async (): Promise<void> => {
      const admin = new pg.Client(first.url);
      await admin.connect();
      await admin.query('alter system set default_transaction_read_only = on');
      await admin.query('select pg_reload_conf()');
      const setting = () => admin.query<{ on: string }>('show default_transaction_read_only');
      while (!JSON.stringify((await setting()).rows).includes('"on"'));
      await admin.end();
      proxy.pointTo(second.port);
    };
    return { storage, fence };
  }

  /** Sessions see the new setting when they get to it. */
  async function untilRefused(storage: StorageAdapter): Promise<unknown> {
    const failed: unknown[] = [];
    while (failed.length === 0) {
      await storage.lock.acquire('key', 'me', 1).catch((error: unknown) => failed.push(error));
    }
    return failed[0];
  }

  test('costs one call: the next connects anew, and finds where the address leads by then', async () => {
    const { storage, fence } = await fenced({ notify: false });
    // All connections of the pool lead to the first.
    await Promise.all([1, 2, 3, 4].map(() => storage.now()));
    await fence();
    const failed = await untilRefused(storage);
    expect(failed).toBeInstanceOf(StorageError);
    expect((failed as Error).message).toContain('takes no changes any more, as after a failover');
    const taken = await Promise.all(
      ['a', 'b', 'c', 'd'].map((key) => storage.lock.acquire(key, 'me', 60_000)),
    );
    expect(taken.every((lock) => lock !== null)).toBe(true);
  });

  test('is left at once by what listens there, too', async () => {
    const { storage, fence } = await fenced({});
    const lost: string[] = [];
    let tell = (): void => undefined;
    const resumed = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const ears = { lost: (error: unknown) => lost.push((error as Error).message), resumed: () => tell() };
    await storage.wakeSignal!.subscribe(() => undefined, ears);
    await fence();
    await untilRefused(storage);
    await resumed;
    expect(lost).toEqual(['The server takes no changes, as after a failover.']);
  });
});

const isPossible = replicationBinaries() !== null;

describe.skipIf(!isPossible)(`a standby (${isPossible ? 'here' : replicationNeeds})`, () => {
  async function pair(): Promise<[ClusterServer, ClusterServer]> {
    const primary = await startServer();
    closing.push(() => primary.vanish());
    const standby = await primary.standby();
    closing.push(() => standby.vanish());
    return [primary, standby];
  }

  test('is refused at boot with what it is', async () => {
    const [, standby] = await pair();
    const storage = newStorage({ url: standby.url, connectTimeoutMs: 300 });
    await expect(storage.init()).rejects.toThrow('it is a standby that was not promoted');
  });

  test('is waited for at boot until it is promoted', async () => {
    const [primary, standby] = await pair();
    const failures: unknown[] = [];
    const storage = newStorage({ url: standby.url });
    closing.unshift(() => storage.close());
    let isWaiting = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (isWaiting = resolve));
    const opening = storage.init((error) => {
      failures.push(error);
      isWaiting();
    });
    await waiting;
    await primary.stop('immediate');
    await standby.promote();
    await opening;
    expect(await storage.countJobs({})).toBe(0);
    expect(failures[0]).toBeInstanceOf(StorageError);
  });

  test('is left again for the primary, without a restart', async () => {
    const [primary, standby] = await pair();
    const proxy = await TcpProxy.to(primary.port);
    closing.unshift(() => proxy.close());
    const storage = await opened(urlBy(proxy));
    proxy.pointTo(standby.port);
    await primary.stop('immediate');
    const failed: string[] = [];
    while (failed.length < 3) {
      await storage.now().catch((error: Error) => failed.push(error.message));
    }
    expect(failed.at(-1)).toContain('it is a standby that was not promoted');
    await standby.promote();
    expect(await storage.lock.acquire('key', 'me', 60_000)).not.toBeNull();
  });
});
