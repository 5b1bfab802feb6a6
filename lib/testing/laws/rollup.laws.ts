import assert from 'node:assert/strict';
import {
  latenessBucketsMs,
  type RollupOrder,
  type RollupStorage,
  type StatisticsRow,
  type StatisticsUnit,
  type StorageAdapter,
} from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
  failWithRetry,
  fireOne,
  hour,
  minute,
  only,
  pruneAll,
  second,
  settle,
  startWorker,
} from './fixture.js';

type Check = (rollups: RollupStorage, subject: StorageSubject) => Promise<void>;

function withRollups(
  checks: Record<string, Check>,
): Record<string, (subject: StorageSubject) => Promise<void>> {
  return Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [
      name,
      async (subject: StorageSubject) => {
        const { rollups } = subject.storage;
        if (rollups !== undefined) await check(rollups, subject);
      },
    ]),
  );
}

const floor = (ms: number, unit: number): number => Math.floor(ms / unit) * unit;

/** Goes to the middle of a minute early in a day, far from where the next one begins. */
async function toMorning({ storage, clock }: StorageSubject): Promise<number> {
  const now = await storage.now();
  await clock.advance(floor(now, day) + day + 9 * hour + 30 * minute + 20 * second - now);
  return storage.now();
}

/** A run that has succeeded now, having begun `lateMs` after its time and taken `tookMs`. */
async function ended(
  storage: StorageAdapter,
  id: string,
  given: { finishedAt?: number; lateMs?: number; tookMs?: number } = {},
): Promise<void> {
  const { lateMs = second, tookMs = 0, finishedAt = await storage.now() } = given;
  const startedAt = finishedAt - tookMs;
  const at = new Date(startedAt - lateMs).toISOString();
  await addOneOff(storage, { id, trigger: { type: 'at', at }, nextAt: startedAt - lateMs });
  const run = await claimOne(storage, await startWorker(storage, { leaseMs: 90 * day }));
  await settle(storage, run, { startedAt, finishedAt });
}

/** Counts the hour of this instant. */
function hourOf(at: number, given: Partial<RollupOrder> = {}): RollupOrder {
  const from = floor(at, hour);
  return { from, until: from + hour, kind: 'make', wholeMs: 30 * day, ...given };
}

async function rowsOf(
  rollups: RollupStorage,
  unit: StatisticsUnit,
  given: Partial<Parameters<RollupStorage['queryRollups']>[0]> = {},
): Promise<StatisticsRow[]> {
  const { items } = await rollups.queryRollups({ unit, from: 0, until: 4e12, ...given }, { limit: 1_000 });
  return items;
}

const units = ['minute', 'hour', 'day'] as const;

export const rollupLaws = lawsOf(
  'rollups',
  withRollups({
    'count what the ledger has, by minute, hour and day': async (rollups, subject) => {
      const { storage } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a', { lateMs: 20, tookMs: 1_500 });
      await ended(storage, 'b', { lateMs: 2 * hour, tookMs: 500 });
      assert.equal(await rollups.makeRollups(hourOf(now)), true);
      const lateness = latenessBucketsMs.map((most) => (most === 25 ? 1 : 0));
      const start = { minute: floor(now, minute), hour: floor(now, hour), day: floor(now, day) };
      for (const unit of units) {
        assert.deepEqual(await rowsOf(rollups, unit), [
          {
            start: new Date(start[unit]),
            namespace: 'default',
            queue: 'default',
            handler: 'work',
            verdict: 'succeeded',
            runs: 2,
            attempts: 2,
            durationMs: 2_000,
            longestMs: 1_500,
            lateness: [...lateness, 1],
          },
        ]);
      }
    },

    'count attempts apart from verdicts, and how late a run began once': async (rollups, subject) => {
      const { storage } = subject;
      const now = await toMorning(subject);
      await addRecurring(storage);
      const worker = await startWorker(storage);
      await failWithRetry(storage, await fireOne(storage, worker));
      await failWithRetry(storage, await claimOne(storage, worker));
      await settle(storage, await claimOne(storage, worker));
      await rollups.makeRollups(hourOf(now));
      const [failed, succeeded] = await rowsOf(rollups, 'day');
      assert.deepEqual([failed!.verdict, failed!.runs, failed!.attempts], ['failed', 0, 2]);
      assert.deepEqual([succeeded!.verdict, succeeded!.runs, succeeded!.attempts], ['succeeded', 1, 1]);
      const sum = (row: StatisticsRow): number => row.lateness.reduce((a, b) => a + b, 0);
      assert.deepEqual([sum(failed!), sum(succeeded!)], [1, 0]);
    },

    'are replaced by what is counted anew, also what came late': async (rollups, subject) => {
      const { storage } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a');
      for (let times = 0; times < 3; times++) await rollups.makeRollups(hourOf(now));
      await ended(storage, 'late', { finishedAt: now - 10 * minute });
      await rollups.makeRollups(hourOf(now));
      const attempts = async (unit: StatisticsUnit): Promise<number[]> =>
        (await rowsOf(rollups, unit)).map((row) => row.attempts);
      assert.deepEqual(await attempts('minute'), [1, 1]);
      assert.deepEqual(await attempts('hour'), [2]);
      assert.deepEqual(await attempts('day'), [2]);
    },

    'of an hour are checked by how many there are': async (rollups, subject) => {
      const { storage } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a');
      await rollups.makeRollups(hourOf(now));
      assert.equal(await rollups.makeRollups(hourOf(now, { kind: 'check' })), false, 'Nothing differs.');
      await ended(storage, 'late', { finishedAt: now - 10 * minute });
      assert.equal(await rollups.makeRollups(hourOf(now, { kind: 'check' })), true);
      assert.equal(only(await rowsOf(rollups, 'day'), 'day').attempts, 2);
      assert.equal((await rollups.rollupState()).mark?.checkedUntil, floor(now, hour) + hour);
    },

    'stay as they are where the ledger may have forgotten': async (rollups, subject) => {
      const { storage, clock } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a');
      await rollups.makeRollups(hourOf(now));
      await clock.advance(3 * day);
      await pruneAll(storage, {}, 2 * day);
      for (const kind of ['make', 'check', 'rebuild'] as const)
        assert.equal(await rollups.makeRollups(hourOf(now, { kind, wholeMs: 2 * day })), false);
      for (const unit of units) assert.equal(only(await rowsOf(rollups, unit), unit).attempts, 1);
    },

    'begin another day at midnight UTC': async (rollups, subject) => {
      const { storage, clock } = subject;
      const now = await toMorning(subject);
      const midnight = floor(now, day) + day;
      await clock.advance(midnight + minute - now);
      await ended(storage, 'before', { finishedAt: midnight - 1 });
      await ended(storage, 'after', { finishedAt: midnight });
      await rollups.makeRollups(hourOf(midnight - 1));
      await rollups.makeRollups(hourOf(midnight));
      for (const [unit, size] of [
        ['minute', minute] as const,
        ['hour', hour] as const,
        ['day', day] as const,
      ]) {
        const starts = (await rowsOf(rollups, unit)).map(({ start, attempts }) => [+start, attempts]);
        assert.deepEqual(starts, [
          [midnight - size, 1],
          [midnight, 1],
        ]);
      }
    },

    'say from when to when they are whole': async (rollups, subject) => {
      const now = floor(await toMorning(subject), hour);
      assert.equal((await rollups.rollupState()).mark, null);
      const make = async (from: number, until: number, kind: RollupOrder['kind'] = 'make') => {
        await rollups.makeRollups({ from, until, kind, wholeMs: 30 * day });
        const { mark } = await rollups.queryRollups({ unit: 'day', from: 0, until: 1 }, {});
        return [mark!.from - now, mark!.until - now].map((ms) => ms / minute);
      };
      assert.deepEqual(await make(now - hour, now), [-60, 0]);
      assert.deepEqual(await make(now, now + 5 * minute), [-60, 5]);
      assert.deepEqual(await make(now, now + minute), [-60, 5], 'What is made anew takes nothing back.');
      assert.deepEqual(await make(now - 2 * hour, now - hour, 'rebuild'), [-120, 5]);
      assert.deepEqual(await make(now - 9 * hour, now - 8 * hour, 'rebuild'), [-120, 5]);
      assert.deepEqual(await make(now + 20 * minute, now + 21 * minute), [20, 21], 'Nobody counted between.');
    },

    'come in pages, by what is asked for': async (rollups, subject) => {
      const { storage } = subject;
      const now = await toMorning(subject);
      for (const id of ['a', 'b', 'c']) {
        await addOneOff(storage, { id, namespace: id, queue: `q-${id}`, handler: `h-${id}` });
        const worker = await startWorker(storage, { queues: [`q-${id}`], handlers: [`h-${id}`] });
        await settle(storage, await claimOne(storage, worker));
      }
      await rollups.makeRollups(hourOf(now));
      const filter = { unit: 'hour', from: floor(now, hour), until: floor(now, hour) + 1 } as const;
      const first = await rollups.queryRollups(filter, { limit: 2 });
      assert.deepEqual(
        first.items.map(({ namespace }) => namespace),
        ['a', 'b'],
      );
      const second = await rollups.queryRollups(filter, { limit: 2, cursor: first.cursor! });
      assert.deepEqual(
        second.items.map(({ namespace }) => namespace),
        ['c'],
      );
      assert.equal(second.cursor, null);
      const asked = async (given: object): Promise<string[]> =>
        (await rowsOf(rollups, 'minute', given)).map(({ namespace }) => namespace);
      assert.deepEqual(await asked({ namespace: 'b' }), ['b']);
      assert.deepEqual(await asked({ queue: ['q-a', 'q-c'] }), ['a', 'c']);
      assert.deepEqual(await asked({ handler: 'h-a' }), ['a']);
      assert.deepEqual(await asked({ until: floor(now, minute) }), []);
    },

    'are kept by their own time, whatever becomes of the ledger': async (rollups, subject) => {
      const { storage, clock } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a');
      await rollups.makeRollups(hourOf(now));
      await clock.advance(2 * day);
      await pruneAll(storage, {}, day);
      const kept = { minute: day, hour: 3 * day, day: 9 * day };
      assert.equal(await rollups.forgetRollups(kept, 10), 1);
      const left = async (): Promise<number[]> =>
        Promise.all(units.map(async (unit) => (await rowsOf(rollups, unit)).length));
      assert.deepEqual(await left(), [0, 1, 1]);
      await clock.advance(20 * day);
      assert.equal(await rollups.forgetRollups(kept, 10), 2);
      assert.deepEqual(await left(), [0, 0, 0]);
    },

    'are the same for all': async (rollups, subject) => {
      const { storage, open } = subject;
      const now = await toMorning(subject);
      await ended(storage, 'a');
      const other = await open();
      assert.ok(other.rollups, 'Another adapter on the same storage should have statistics as well.');
      const makers = [rollups, other.rollups, rollups, other.rollups];
      await Promise.all(makers.map((maker) => maker.makeRollups(hourOf(now))));
      for (const unit of units) {
        assert.equal(only(await rowsOf(rollups, unit), unit).attempts, 1);
        assert.deepEqual(await rowsOf(other.rollups, unit), await rowsOf(rollups, unit));
      }
    },
  }),
);
