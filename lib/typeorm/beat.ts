import { Worker } from 'node:worker_threads';
import { StorageError } from '../model/errors.js';
import type { Beat, BeatOrder } from '../ports/beat.js';
import { messageOf } from './sql.errors.js';
import { beatSource } from './beat.source.js';
import { beatTimes, msSince, rightNow, underWay, type BeatThreadOrder } from './beat.times.js';

/**
 * Starts the thread that renews while the event loop is blocked. Throws StorageError where the connection settings cannot be handed to a
 * thread, or the package was not built.
 */
export async function startBeat(
  order: BeatOrder,
  connection: Record<string, unknown>,
  sql: string,
): Promise<Beat> {
  if (beatSource === null) throw new StorageError('No thread without its code: run npm run build.');
  const shared = beatTimes();
  const times = new BigInt64Array(shared);
  // Alive now: a handler may block the event loop before the thread has started, and nothing would tell the thread so.
  Atomics.store(times, 0, rightNow());
  const thread = newThread(beatSource, { ...order, connection, sql, shared });
  // It must not keep the process alive, and what kills it is no reason to kill the process.
  thread.unref();
  thread.on('error', () => undefined);
  await started(thread);
  return {
    tick: (renewedMsAgo) => {
      const now = rightNow();
      Atomics.store(times, 0, now);
      if (Number.isFinite(renewedMsAgo)) Atomics.store(times, 1, now - BigInt(Math.ceil(renewedMsAgo * 1e6)));
    },
    renewedMsAgo: () => msSince(Atomics.load(times, 2)),
    underWayMsAgo: () => {
      const endedAt = Atomics.load(times, 3);
      return endedAt === underWay ? 0 : msSince(endedAt);
    },
    stop: async () => {
      await thread.terminate();
    },
  };
}

function newThread(source: string, workerData: BeatThreadOrder): Worker {
  try {
    return new Worker(source, { eval: true, workerData, execArgv: [] });
  } catch (cause) {
    throw new StorageError(
      `The connection settings cannot be handed to a thread, such as a password that is a function: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function started(thread: Worker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve());
    thread.once('error', (cause) =>
      reject(new StorageError(`The thread failed: ${messageOf(cause)}`, { cause })),
    );
    thread.once('exit', () => reject(new StorageError('The thread ended at once.')));
  });
}
