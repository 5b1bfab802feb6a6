import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { InvalidPayloadError, StorageError, type ClaimedRun, type StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  fireDue,
  jobOf,
  only,
  ref,
  runsOf,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { translated } from '../../lib/typeorm/sql.errors.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';

let server: PostgresServer;
let storage: StorageAdapter;
let clock: ManualClock;
let idler: pg.Client;
let refusal: unknown;

beforeAll(async () => {
  // The smallest queue that a server can have.
  server = await startPostgres({ settings: { fsync: 'off', max_notify_queue_pages: '64' } });
});
afterAll(() => server.stop());

beforeEach(async () => {
  clock = new ManualClock();
  storage = newStorage({ url: server.url, clock });
  await storage.init();
});
afterEach(async () => {
  await idler.end();
  await storage.close();
});

/** One that listens within a transaction keeps the queue from being emptied. */
async function fillQueue(): Promise<void> {
  idler = new pg.Client(server.url);
  await idler.connect();
  await idler.query('listen elsewhere');
  await idler.query('begin');
  const client = new pg.Client(server.url);
  await client.connect();
  for (const size of [7_000, 10]) {
    const flood = `select pg_notify('elsewhere', n || repeat('x', ${size})) from generate_series(1, 10) n`;
    for (refusal = null; refusal === null;) {
      await client.query(flood).catch((error: unknown) => (refusal = error));
    }
  }
  await client.end();
}

const emptyQueue = (): Promise<unknown> => idler.query('commit');

test('a full queue of notifications is a matter of the server, not of what was to be stored', async () => {
  await fillQueue();
  expect((refusal as Error).message).toBe('too many notifications in the NOTIFY queue');
  const error = translated(refusal);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).not.toBeInstanceOf(InvalidPayloadError);
});

test('a full queue of notifications costs the notifications, and nothing else', async () => {
  const worker = await startWorker(storage, { leaseMs: 24 * 3_600_000 });
  const second = await startWorker(storage);
  await addRecurring(storage, { id: 'queued', dueInMs: -1_000 });
  await fillQueue();
  // More than what is left in the last page of the queue could hold.
  for (let n = 0; n < 300; n++) await addOneOff(storage, { id: `one-off ${n}` });
  const claimed = async (): Promise<ClaimedRun> => only((await storage.claim(worker, 1)).runs, 'run');
  await settle(storage, await claimed());
  await settle(storage, await claimed(), { outcome: 'failed', error: 'no', retryInMs: 1_000 });
  const { runs, moved } = await fireDue(storage, worker, { overlap: 'queue' });
  expect(moved).toHaveLength(1);
  // One that waits for it is let go by its end.
  clock.jumpWall(3_600_000);
  expect((await fireDue(storage, await startWorker(storage), { overlap: 'queue', room: 0 })).moved).toEqual(
    moved,
  );
  await settle(storage, runs[0]!);
  expect((await runsOf(storage, 'queued')).map(({ state }) => state)).toEqual(['waiting']);
  const running = await claimed();
  await storage.cancelRun(running.id);
  await storage.pauseJob(ref('queued'), { reason: 'no', by: 'me' });
  await storage.resumeJob(ref('queued'), (_, now) => ({ nextAt: now + 1_000, gap: null }));
  await storage.runNow(ref('queued'));
  await storage.giveBack([{ runId: running.id, fence: running.fence, worker: worker.workerId }]);
  await storage.unregister(worker.workerId);
  await storage.unregister(second.workerId);
  await storage.releaseLost();
  expect(await jobOf(storage, 'queued')).toMatchObject({ paused: null });
});

test('a full queue is told once to who listens, with the remedy, as its end is', async () => {
  const told: string[] = [];
  let heard = (): void => undefined;
  const until = (length: number): Promise<void> =>
    new Promise((resolve) => {
      heard = () => void (told.length >= length && resolve());
      heard();
    });
  const tell = (what: string): void => {
    told.push(what);
    heard();
  };
  const stop = await storage.wakeSignal!.subscribe((wake) => tell(wake.kind), {
    lost: (error) => tell(error.message),
    resumed: () => tell('resumed'),
  });
  await fillQueue();
  // At each heartbeat the connection looks.
  await clock.advanceBy(30_000);
  await until(1);
  for (let tries = 0; tries < 3;) {
    const waits = clock.nextTimerInMs;
    await clock.advanceBy(waits ?? 0);
    if (waits === null) await idler.query('select');
    else tries++;
  }
  await emptyQueue();
  while (told.length < 3) {
    // Each try to connect takes real time; the next one begins when it has failed.
    await clock.advanceBy(clock.nextTimerInMs ?? 0);
    await idler.query('select');
  }
  expect(told).toEqual([
    'The queue of notifications of the server is full, so none are sent. A session that has listened and is idle in a transaction keeps it from being emptied: PostgreSQL names it in its log, pg_stat_activity shows it, and pg_terminate_backend() ends it.',
    'resumed',
    'change',
  ]);
  await stop();
});
