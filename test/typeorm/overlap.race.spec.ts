import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  addRecurring,
  fireOne,
  firingOf,
  hour,
  minute,
  ref,
  settlementOf,
  startWorker,
  accepts,
} from '../../lib/testing/laws/fixture.js';
import { PostgresLawBench } from '../support/postgres.subject.js';

const bench = new PostgresLawBench();
beforeAll(() => bench.open());
afterAll(() => bench.close());

const rounds = Number(process.env.CHRONIS_RACE_ROUNDS ?? 40);

/** Keeps the connections busy for a little while, so that what follows is sent at another moment. */
async function delay(statement: () => Promise<unknown>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await statement();
}

test.each(['queue', 'cancel-running'] as const)(
  'no run that waits is forgotten, however a fire (%s) and the end of the run before it meet',
  async (overlap) => {
    const subject = await bench.storageSubject();
    const { storage } = subject;
    const other = await subject.open();
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    const met = { blocked: 0, free: 0 };
    for (let round = 0; round < rounds; round++) {
      await addRecurring(storage, { dueInMs: -2 * minute });
      const nextAt = (await storage.now()) - minute;
      const first = await fireOne(storage, worker, { overlap, nextAt });
      const settlement = await settlementOf(storage, first);
      const [cursor] = (await storage.dueCursors(worker, 1)).cursors;
      const ending = async (): Promise<string[]> => {
        await delay(() => other.now(), round % 8);
        return round % 2 === 0
          ? accepts(other, [settlement])
          : other.cancelJob(ref('job')).then(() => accepts(other, [settlement]));
      };
      const [fired, settled] = await Promise.all([
        storage.fire(worker, [firingOf(cursor!, { overlap })], 5),
        ending(),
      ]);
      expect(settled).toEqual([first.id]);
      met[fired.runs.length === 1 ? 'free' : 'blocked']++;
      const left = (await storage.queryRuns({}, {})).items;
      expect(left.map((run) => run.state).filter((state) => state === 'blocked')).toEqual([]);
      await storage.giveBack(await storage.heldBy(worker.workerId));
      await storage.deleteJob(ref('job'));
    }
    await subject.close();
    expect(met.blocked + met.free).toBe(rounds);
    if (process.env.CHRONIS_RACE_ROUNDS) console.log(met);
  },
);
