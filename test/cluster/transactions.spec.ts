import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TransactionalApp } from '../support/transactional.app.js';

describe('a thousand transactions with a job each', () => {
  let app: TransactionalApp;

  beforeAll(async () => {
    app = await TransactionalApp.create('thousand');
  });
  afterAll(() => app.close());

  test('of which 300 are rolled back, make exactly 700 runs', { timeout: 60_000 }, async () => {
    const ran: string[] = [];
    let all = (): void => undefined;
    const chronis = { autoStart: true, concurrency: 20 };
    const [first, second] = [await app.boot({ chronis }), await app.boot({ chronis })];
    const expected = Array.from({ length: 1_000 }, (_, i) => `job-${i}`).filter((_, i) => i % 10 < 7);
    for (const { scheduler } of [first, second])
      scheduler.registerHandler('work', ({ job }) => {
        ran.push(job.id);
        if (ran.length === expected.length) all();
      });
    const everyoneRan = new Promise<void>((resolve) => (all = resolve));

    let next = 0;
    const creator = async (): Promise<void> => {
      for (let i = next++; i < 1_000; i = next++) {
        const { scheduler } = i % 2 === 0 ? first : second;
        const transaction = app.source.transaction(async (manager) => {
          await app.insert(manager, `job-${i}`);
          await scheduler.createDateJob({ id: `job-${i}`, handler: 'work', in: 1 }, { manager });
          if (i % 10 >= 7) throw new Error('undone');
        });
        if (i % 10 >= 7) await expect(transaction).rejects.toThrow('undone');
        else await transaction;
      }
    };
    await Promise.all(Array.from({ length: 10 }, creator));
    await everyoneRan;
    // Drains: whatever else had begun has ended by then.
    await Promise.all([first.scheduler.stop(), second.scheduler.stop()]);
    expect(ran.toSorted()).toEqual(expected.toSorted());
    expect(await app.effects()).toBe(700);
    expect((await first.scheduler.getRuns()).items).toEqual([]);
    const { rows } = await app.client.query(
      `select count(*)::int as rows, count(distinct job_id)::int as jobs, count(*) filter (where final)::int as final from "${app.schema}".attempt`,
    );
    expect(rows).toEqual([{ rows: 700, jobs: 700, final: 700 }]);
  });
});
