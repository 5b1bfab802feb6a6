import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import type { StorageSubject } from '../../lib/testing/index.js';
import { PostgresLawBench } from '../support/postgres.subject.js';
import { startWorker, storageOperations } from './model/storage.operations.js';
import { Side } from './model/storage.pair.js';

const numRuns = Number(process.env.CHRONIS_STORAGE_MODEL_RUNS ?? 12);
// The short form is the same each time; long runs look further.
const isLong = process.env.CHRONIS_STORAGE_MODEL_RUNS !== undefined;
const seed = Number(process.env.CHRONIS_TEST_SEED ?? (isLong ? Math.floor(Math.random() * 1e9) : 1));

function memorySubject(): StorageSubject {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  return {
    storage,
    open: async () => storage.open(),
    clock: { advance: (ms) => clock.advanceBy(ms) },
    close: () => storage.close(),
  };
}

describe(`random operations on the memory and the PostgreSQL storage, seed ${seed},`, () => {
  const bench = new PostgresLawBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());

  test(
    'come to the same jobs, runs, cursors, ledger and gaps, and no instant is born twice',
    async () => {
      const sequences = fc.array(storageOperations, { minLength: 20, maxLength: 80 });
      const property = fc.asyncProperty(sequences, async (operations) => {
        const sides = [new Side(memorySubject()), new Side(await bench.storageSubject())] as const;
        try {
          for (const side of sides) for (const nth of [0, 1]) await startWorker(side, nth);
          const done: string[] = [];
          for (const { text, act } of operations) {
            done.push(text);
            const story = done.join('\n');
            const [wanted, found] = [await answerOf(act(sides[0])), await answerOf(act(sides[1]))];
            expect(found, story).toEqual(wanted);
            const [memory, postgres] = [await sides[0].state(), await sides[1].state()];
            expect(postgres, story).toEqual(memory);
            for (const side of sides) expect(side.bornTwice(), story).toEqual([]);
          }
        } finally {
          for (const { subject } of sides) await subject.close();
        }
      });
      // A sequence is shrunk only where that is asked for: it takes minutes.
      await fc.assert(property, { seed, numRuns, endOnFailure: !process.env.CHRONIS_STORAGE_MODEL_SHRINK });
    },
    isLong ? 86_400_000 : 120_000,
  );
});

async function answerOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { value: (await call) ?? null };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
