import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RealApp, storageKinds } from '../support/real.app.js';
import { JobModel } from './model/job.model.js';
import { firstDifference, operations } from './model/operations.js';

const seed = Number(process.env.CHRONIS_TEST_SEED ?? Math.floor(Math.random() * 1e9));
const numRuns = Number(process.env.CHRONIS_MODEL_RUNS ?? 25);

describe.each(storageKinds)(`random calls of the service on %s, seed ${seed},`, (kind) => {
  let app: RealApp;
  beforeAll(async () => {
    app = await RealApp.boot(kind, { autoStart: false });
  });
  afterAll(() => app.close());

  test('are answered as a model says', async () => {
    let serial = 0;
    const sequences = fc.array(operations, { minLength: 10, maxLength: 60 });
    const property = fc.asyncProperty(sequences, async (calls) => {
      const namespace = `model-${++serial}`;
      const difference = await firstDifference(calls, app.scheduler, new JobModel(), namespace);
      expect(difference, calls.map(({ text }) => text).join('\n')).toBeNull();
    });
    await fc.assert(property, { seed, numRuns });
  }, 120_000);
});
