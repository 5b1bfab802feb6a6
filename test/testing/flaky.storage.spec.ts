import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStorage, type StorageAdapter } from '../../lib/index.js';
import { flaky, FlakyStorageError, runLaw, storageLaws, type Fault } from '../../lib/testing/index.js';
import { newJob } from '../support/engine.js';
import { flakySubject } from '../support/flaky.subject.js';
import { memorySubject } from '../support/memory.subject.js';
import { PostgresLawBench } from '../support/postgres.subject.js';

const seed = Number(process.env.CHRONIS_TEST_SEED ?? Math.floor(Math.random() * 1e9));

describe('flaky', () => {
  const hit = async (fault: Fault): Promise<StorageAdapter> => {
    const real = new MemoryStorage();
    const none = { before: 0, during: 0, after: 0 };
    const bad = flaky(real, { seed: 1, ...none, [fault]: 1 });
    const failing = bad.insertJobs([newJob(0, { id: 'job' })], 'raise');
    await expect(failing).rejects.toMatchObject({ operation: 'insertJobs', fault });
    await expect(failing).rejects.toThrow(FlakyStorageError);
    return real;
  };
  const ref = { namespace: 'default', id: 'job' };

  test('fails before the storage has seen the call', async () => {
    expect(await (await hit('before')).getJob(ref)).toBeNull();
  });

  test('fails after the storage has done it, and while it is at it', async () => {
    expect(await (await hit('after')).getJob(ref)).toMatchObject({ id: 'job' });
    expect(await (await hit('during')).getJob(ref)).toMatchObject({ id: 'job' });
  });

  test('makes the same faults for the same seed, others for another one, as often as was asked', async () => {
    const faultsOf = async (given: number): Promise<string> => {
      const bad = flaky(new MemoryStorage(), { seed: given, before: 0.1, during: 0.2, after: 0.3 });
      let faults = '';
      for (let n = 0; n < 1_000; n++) {
        await bad.now().then(
          () => (faults += '-'),
          (error: FlakyStorageError) => (faults += error.fault[0]),
        );
      }
      return faults;
    };
    const faults = await faultsOf(7);
    expect(await faultsOf(7)).toBe(faults);
    expect(await faultsOf(8)).not.toBe(faults);
    for (const [letter, expected] of [
      ['b', 100],
      ['d', 200],
      ['a', 300],
      ['-', 400],
    ] as const) {
      expect(Math.abs(faults.split(letter).length - 1 - expected)).toBeLessThan(60);
    }
  });

  test.each([
    [{ seed: 0.5 }, /seed/],
    [{ seed: 1, after: -1 }, /after/],
    [{ seed: 1, before: 0.5, after: 0.6 }, /probability/],
  ])('refuses options that make no sense: %o', (options, message) => {
    expect(() => flaky(new MemoryStorage(), options)).toThrow(message);
  });
});

describe(`over a bad connection, seed ${seed},`, () => {
  describe('the laws hold for a caller that says everything again: memory', () => {
    const faults: Fault[] = [];
    for (const [nth, law] of storageLaws().entries()) {
      test(law.name, async () => {
        const subject = flakySubject(memorySubject(), seed + nth * 10);
        await runLaw(law, () => subject);
        faults.push(...subject.faults);
      });
    }
    test('and faults of all kinds there were', () => {
      expect(new Set(faults)).toEqual(new Set(['before', 'during', 'after']));
    });
  });

  describe('the laws hold for a caller that says everything again: PostgreSQL', () => {
    const bench = new PostgresLawBench();
    beforeAll(() => bench.open());
    afterAll(() => bench.close());
    const topics = /^(lease|release|fire|claim|give back|settle|dead letters|overdue runs)/;
    for (const [nth, law] of storageLaws()
      .filter(({ name }) => topics.test(name))
      .entries()) {
      test(law.name, async () => {
        await runLaw(law, async () => flakySubject(await bench.storageSubject(), seed + nth * 10));
      });
    }
  });
});
