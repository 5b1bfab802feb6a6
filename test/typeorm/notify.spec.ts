import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StorageError, type NewJob, type StorageAdapter, type Wake } from '../../lib/index.js';
import type { TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { newJob } from '../support/engine.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('notify');
const watcher = new pg.Client(databaseUrl());
const opened: StorageAdapter[] = [];

beforeAll(() => watcher.connect());

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

afterAll(async () => {
  await watcher.query(`drop schema "${schema}" cascade`);
  await watcher.end();
});

async function open(options: TypeOrmStorageOptions = {}): Promise<StorageAdapter> {
  const storage = newStorage({ schema, ...options });
  opened.push(storage);
  await storage.init();
  return storage;
}

/** What a storage hears; `until` resolves with the next wake that fits. */
async function listen(storage: StorageAdapter) {
  const heard: Wake[] = [];
  let tell = (): void => undefined;
  const end = await storage.wakeSignal!.subscribe((wake) => {
    heard.push(wake);
    tell();
  });
  let next = 0;
  const until = (fits: (wake: Wake) => boolean): Promise<void> =>
    new Promise((resolve) => {
      tell = () => {
        const found = heard.findIndex((wake, index) => index >= next && fits(wake));
        if (found < 0) return;
        next = found + 1;
        // What comes before the next call is for that one to find.
        tell = () => undefined;
        resolve();
      };
      tell();
    });
  return { heard, until, end };
}

function oneOff(id: string, at: number): NewJob {
  return newJob(at, { id });
}

/** The server's processes that listen for this schema by now. */
async function listeners(): Promise<number[]> {
  const { rows } = await watcher.query<{ pid: number }>('select pid from pg_stat_activity where query = $1', [
    `listen ${tableNames(schema, '', true).channel}`,
  ]);
  return rows.map(({ pid }) => pid);
}

// Real connections to a real server: one that a busy machine holds up for too long gets another try.
test('listens where the application has changed the parsers of pg', async () => {
  const before: unknown = pg.types.getTypeParser(16);
  pg.types.setTypeParser(16, (text) => text as never);
  try {
    const { until, end } = await listen(await open());
    await (await open()).insertJobs([oneOff('parsed', Date.now())], 'raise');
    await until(({ kind }) => kind === 'due');
    await end();
  } finally {
    pg.types.setTypeParser(16, before as never);
  }
});

describe('the wake signal', { retry: 2 }, () => {
  test('goes to other processes, one for each statement, with the earliest time', async () => {
    const [writer, reader] = [await open(), await open()];
    const { heard, until, end } = await listen(reader);
    const now = await writer.now();
    const jobs = [30_000, 10_000, 20_000].map((inMs) => oneOff(`job-${inMs}`, now + inMs));
    await writer.insertJobs(jobs, 'raise');
    await until((wake) => wake.kind === 'due');
    await writer.insertJobs([oneOff('last', now + 1_000)], 'raise');
    await until((wake) => wake.kind === 'due' && wake.at === now + 1_000);
    expect(heard).toEqual([
      { kind: 'due', at: now + 10_000, what: 'run' },
      { kind: 'due', at: now + 1_000, what: 'run' },
    ]);
    await end();
  });

  test('is not sent for what is due later than everybody looks anyway', async () => {
    const [writer, reader] = [await open(), await open()];
    const { heard, until, end } = await listen(reader);
    const now = await writer.now();
    await writer.insertJobs([oneOff('in-an-hour', now + 3_600_000)], 'raise');
    await writer.insertJobs([oneOff('soon', now + 5_000)], 'raise');
    await until((wake) => wake.kind === 'due');
    expect(heard).toEqual([{ kind: 'due', at: now + 5_000, what: 'run' }]);
    await end();
  });

  test('is not heard by an installation in another schema, nor under another prefix', async () => {
    const writer = await open();
    const stranger = await open({ tablePrefix: 'other_' });
    const { heard, until, end } = await listen(stranger);
    await writer.insertJobs([oneOff('not-for-you', await writer.now())], 'raise');
    await stranger.insertJobs([oneOff('for-you', (await stranger.now()) + 7_000)], 'raise');
    await until((wake) => wake.kind === 'due');
    expect(heard).toHaveLength(1);
    await end();
  });

  test('comes back when its connection is cut, and then tells everybody to look', async () => {
    const [writer, reader] = [await open(), await open()];
    const { until, end } = await listen(reader);
    for (let round = 1; round <= 2; round++) {
      for (const pid of await listeners()) await watcher.query('select pg_terminate_backend($1)', [pid]);
      await until((wake) => wake.kind === 'change');
    }
    const now = await writer.now();
    await writer.insertJobs([oneOff('after-the-cut', now)], 'raise');
    await until((wake) => wake.kind === 'due');
    await end();
  });

  test('has one connection for all subscribers, and none when the last has left', async () => {
    const storage = await open();
    const both = await Promise.all([listen(storage), listen(storage)]);
    expect(await listeners()).toHaveLength(1);
    await both[0].end();
    expect(await listeners()).toHaveLength(1);
    await both[1].end();
    while ((await listeners()).length > 0);
    const again = await listen(storage);
    expect(await listeners()).toHaveLength(1);
    await again.end();
  });

  test('ends with its storage', async () => {
    const storage = await open();
    await listen(storage);
    await storage.close();
    while ((await listeners()).length > 0);
  });

  test('listens at listenUrl, where that is another way to the server', async () => {
    const reader = await open({ listenUrl: databaseUrl() });
    const { until, end } = await listen(reader);
    await reader.insertJobs([oneOff('through-listen-url', await reader.now())], 'raise');
    await until((wake) => wake.kind === 'due');
    await end();
    const lost = await open({ listenUrl: 'postgres://postgres@127.0.0.1:1/postgres' });
    await expect(listen(lost)).rejects.toBeInstanceOf(StorageError);
  });

  test('can be turned off', async () => {
    const [silent, reader] = [await open({ notify: false }), await open()];
    expect(silent.wakeSignal).toBeUndefined();
    const { heard, until, end } = await listen(reader);
    await silent.insertJobs([oneOff('silent', await silent.now())], 'raise');
    await reader.insertJobs([oneOff('told', (await reader.now()) + 3_000)], 'raise');
    await until((wake) => wake.kind === 'due');
    expect(heard).toHaveLength(1);
    await end();
  });
});
