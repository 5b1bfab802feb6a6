import { beforeEach, describe, expect, test } from 'vitest';
import type { Capability, ClaimedRun, SettleResult, StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  firingOf,
  minute,
  settlementOf,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { connect } from '../../lib/typeorm/connect.js';
import { StatementRunner } from '../../lib/typeorm/statement.runner.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { settleWithin } from '../../lib/typeorm/settling.transaction.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

// Somebody else has locked what a settlement writes, for as long as a test takes.

let schema: string;
let storage: StorageAdapter;
let worker: Capability;
const other = storageForEachTest('settling', (fresh) => ({ schema, storage } = fresh), {
  statementTimeoutMs: 4_000,
});

beforeEach(async () => {
  worker = await startWorker(storage);
});

async function lockRows(table: string, where: string): Promise<void> {
  await other.query('begin');
  const { rowCount } = await other.query(`select from "${schema}".${table} where ${where} for update`);
  expect(rowCount).toBeGreaterThan(0);
}

/** A run for which the next one of its job waits. */
async function blocking(): Promise<ClaimedRun> {
  await addRecurring(storage, { dueInMs: -2 * minute });
  const first = await fireOne(storage, worker, { overlap: 'queue', nextAt: (await storage.now()) - minute });
  const { cursors } = await storage.dueCursors(worker, 1);
  await storage.fire(worker, [firingOf(cursors[0]!, { overlap: 'queue' })], 5);
  return first;
}

async function oneOffs(count: number): Promise<ClaimedRun[]> {
  for (let i = 0; i < count; i++) await addOneOff(storage, { id: `one-${i}` });
  return (await storage.claim(worker, count)).runs;
}

const settlementsOf = (runs: readonly ClaimedRun[]) =>
  Promise.all(runs.map((run) => settlementOf(storage, run)));

describe('a settlement', () => {
  test.each(['blocked', 'not blocked'])(
    'passes over a run for which the next one waits, when somebody has locked one of the two: %s',
    async (locked) => {
      const first = await blocking();
      const others = await oneOffs(3);
      const settlements = await settlementsOf([first, ...others]);
      await lockRows('run', `job_uid is not null and ${locked}`);
      const result = await storage.settle(settlements);
      expect(result.accepted.toSorted()).toEqual(others.map(({ id }) => id).toSorted());
      expect(result.locked).toEqual([first.id]);
      await other.query('rollback');
      expect(await storage.settle(settlements.slice(0, 1))).toEqual({ accepted: [first.id], locked: [] });
      expect((await claimOne(storage, worker)).jobUid).toBe(first.jobUid);
    },
  );

  test.each(['settleBriefly', 'settlePassing'] as const)(
    'that has several steps is not tried again for a lock that a later one cannot get: %s',
    async (statement) => {
      const [free, locked] = await oneOffs(2);
      const settlements = await settlementsOf([free!]);
      const url = databaseUrl();
      const settings = adapterSettings({ url, schema, statementTimeoutMs: 4_000 }, false);
      const database = await connect({ type: 'postgres', url }, settings);
      const statements = new StatementRunner(prepareStatements(settings.tables), () => database);
      await lockRows('run', `id = ${locked!.id}`);
      let tries = 0;
      const settled = statements.change(async ({ run }) => {
        tries++;
        await settleWithin(run, settlements, statement, statement === 'settleBriefly' ? { lockMs: 100 } : {});
        await run('lockJobs', [locked!.namespace], [locked!.jobId]);
      });
      await expect(settled).rejects.toThrow(/lock timeout/);
      await database.close();
      expect(tries).toBe(1);
    },
  );
});

describe('settlements of several workers', () => {
  test('wait for each other where commits take long, and take nobody for one who keeps a lock', async () => {
    await addRecurring(storage, { dueInMs: -minute, policies: { overlap: 'allow' } });
    await other.query(
      `create function "${schema}".take_long() returns trigger language plpgsql as $$ begin perform pg_sleep(0.15); return null; end $$;
       create constraint trigger slow after update on "${schema}".job_stat deferrable initially deferred
         for each row execute function "${schema}".take_long()`,
    );
    const processes = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const process = newStorage({ schema, statementTimeoutMs: 4_000 });
        await process.init();
        const capability = await startWorker(process);
        return { process, capability };
      }),
    );
    const outcomes: SettleResult[] = [];
    for (let round = 0; round < 3; round++) {
      const claimed: ClaimedRun[] = [];
      for (const { process, capability } of processes) {
        const run = await process.runNow({ namespace: 'default', id: 'job' });
        const { runs } = await process.claim(capability, 1);
        expect(runs.map(({ id }) => id)).toEqual([run!.id]);
        claimed.push(...runs);
      }
      const settlements = await settlementsOf(claimed);
      outcomes.push(
        ...(await Promise.all(processes.map(({ process }, nth) => process.settle([settlements[nth]!])))),
      );
    }
    for (const { process } of processes) await process.close();
    expect(outcomes.flatMap(({ locked }) => locked)).toEqual([]);
    expect(outcomes.flatMap(({ accepted }) => accepted)).toHaveLength(12);
  });
});
