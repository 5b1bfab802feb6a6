import { describe, expect, test } from 'vitest';
import { InvalidPayloadError, StorageError, type ClaimedRun, type StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireDue,
  holdOf,
  minute,
  settle,
  settlementOf,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

let schema: string;
let storage: StorageAdapter;
const other = storageForEachTest('words', (fresh) => ({ schema, storage } = fresh));

/** The server refuses with 22003 whatever is done to the rows of this table. */
const refuse = (table: string, when = 'update or delete or insert'): Promise<unknown> =>
  other.query(
    `create function "${schema}".refuse() returns trigger language plpgsql as $$ begin raise exception 'out of range' using errcode = '22003'; end $$;
     create trigger refuse before ${when} on "${schema}".${table} for each row execute function "${schema}".refuse()`,
  );

const wayOut =
  'Look in the tables for a value that was changed by hand, a trigger or a constraint that was added.';

/** What is told of a call, of a single row or of all. */
async function told(call: Promise<object>): Promise<{ message: string; type: unknown }> {
  const error = await call.then(
    (answer) => ('refused' in answer ? (answer.refused as { error: unknown }[])[0]?.error : null),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(Error);
  expect((error as Error & { cause: { code: string } }).cause.code).toBe('22003');
  return { message: (error as Error).message, type: (error as Error).constructor };
}

describe('what the server refuses to the loop is told by what was to be done, with where to look, and not as a value that somebody gave', () => {
  const claimed = async (policies = {}): Promise<{ run: ClaimedRun; workerId: string }> => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { policies });
    return { run: await claimOne(storage, worker), workerId: worker.workerId };
  };

  test.each<[purpose: string, prepare: () => Promise<() => Promise<object>>]>([
    [
      'claim a run',
      async () => {
        await addOneOff(storage);
        await refuse('run');
        const worker = await startWorker(storage);
        return () => storage.claim(worker, 1);
      },
    ],
    [
      'renew the lease of a worker',
      async () => {
        const { workerId } = await startWorker(storage);
        await refuse('worker');
        return () => storage.renew(workerId, minute, 0);
      },
    ],
    [
      'give back a run',
      async () => {
        const { run } = await claimed();
        await refuse('run');
        return () => storage.giveBack([holdOf(run)]);
      },
    ],
    [
      'take back the runs of a worker that has died',
      async () => {
        const { workerId } = await claimed();
        await storage.unregister(workerId);
        await refuse('run');
        return () => storage.releaseLost();
      },
    ],
    [
      'delete what is older than it is kept',
      async () => {
        const { run } = await claimed({ keepMs: 1 });
        await settle(storage, run);
        await refuse('run');
        return () => storage.prune({ defaultMs: 60 * minute, byVerdict: {} });
      },
    ],
    [
      'put off what no live worker can execute',
      async () => {
        await addOneOff(storage, { handler: 'nobody' });
        await startWorker(storage);
        await refuse('run');
        return () => storage.deferStranded();
      },
    ],
  ])('%s', async (purpose, prepare) => {
    const call = await prepare();
    const { message, type } = await told(call());
    expect(message).toBe(`PostgreSQL cannot ${purpose}: out of range. ${wayOut}`);
    expect(type).toBe(StorageError);
  });

  test('fire a schedule: the engine tells which', async () => {
    const worker = await startWorker(storage);
    await addRecurring(storage);
    await refuse('cursor');
    const { message, type } = await told(fireDue(storage, worker));
    expect(message).toBe(`PostgreSQL cannot fire a schedule: out of range. ${wayOut}`);
    expect(type).toBe(InvalidPayloadError);
  });

  test.each([false, true])(
    'store the verdict of a run: the engine leaves a note in place of its result (failed: %s)',
    async (isFailed) => {
      const { run } = await claimed();
      await refuse('attempt', 'insert');
      const given = isFailed ? ({ outcome: 'failed', error: 'no' } as const) : {};
      const settlement = await settlementOf(storage, run, given);
      const { message, type } = await told(storage.settle([settlement]));
      expect(message).toBe(`PostgreSQL cannot store the verdict of a run: out of range. ${wayOut}`);
      expect(type).toBe(InvalidPayloadError);
    },
  );

  test('what a trigger of somebody else refuses is told so as well', async () => {
    await addOneOff(storage);
    await other.query(
      `create function "${schema}".refuse() returns trigger language plpgsql as $$ begin raise exception 'frozen'; end $$;
       create trigger refuse before update on "${schema}".run for each row execute function "${schema}".refuse()`,
    );
    const { refused } = await storage.claim(await startWorker(storage), 1);
    expect(refused).toMatchObject([
      { error: { message: `PostgreSQL cannot claim a run: frozen. ${wayOut}`, code: 'CHRONIS_STORAGE' } },
    ]);
  });
});

test('a value that a caller gave is still told as one', async () => {
  await refuse('run');
  const error = await addOneOff(storage).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(InvalidPayloadError);
  expect((error as Error).message).toBe('A value: PostgreSQL cannot store it: out of range');
});
