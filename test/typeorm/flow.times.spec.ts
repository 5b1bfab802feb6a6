import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { workflow } from '../../lib/index.js';
import { TransactionalApp } from '../support/transactional.app.js';

type Process = Awaited<ReturnType<TransactionalApp['boot']>>;

const joined = workflow('joined')
  .manual('a')
  .manual('b')
  .step('join', () => 1, { after: ['a', 'b'] });
/** Its first step commits its verdict by a transaction of its own, once it may. */
let mayEnd = Promise.resolve();
let isAsked = (): void => undefined;
const within = workflow('within')
  .step('a', async (ctx) => {
    isAsked();
    await mayEnd;
    return ctx.transaction(() => 1);
  })
  .manual('b')
  .step('join', () => 1, { after: ['a', 'b'] });

// What somebody has locked is waited for, and others go on meanwhile.
describe('the times of a workflow', () => {
  let database: TransactionalApp;
  let app: Process;

  beforeAll(async () => {
    database = await TransactionalApp.create('flow_times');
    app = await database.boot({ chronis: { autoStart: false, pollMs: 200 } });
    for (const each of [joined, within]) app.workflows.register(each);
    await app.scheduler.start();
  }, 60_000);
  afterEach(() => database.client.query('rollback'));
  afterAll(() => database.close());

  async function started(name: string): Promise<string> {
    const { runId } = await app.workflows.start(name);
    await app.events.once('run.opened', (event) => event.runId === runId);
    return runId;
  }

  /** Keeps others from ending a run, or from moving its workflow on, until `release`. */
  async function lock(runId: string, what: 'run' | 'flow' = 'run'): Promise<void> {
    const column = what === 'run' ? 'id' : 'run_id';
    await database.client.query('begin');
    await database.client.query(`select from "${database.schema}".${what} where ${column} = $1 for update`, [
      runId,
    ]);
  }

  /** Resolves when so many connections wait for locks. */
  async function waiting(count: number): Promise<void> {
    const text = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    while ((await database.client.query(text)).rowCount! < count);
  }

  const release = () => database.client.query('commit');

  async function runOf(runId: string, name: string): Promise<string> {
    const { steps } = (await app.workflows.graph(runId))!;
    return steps.find((step) => step.name === name)!.runId!;
  }

  async function expectOrder(runId: string): Promise<void> {
    const { steps } = (await app.workflows.graph(runId))!;
    const [a, b, join] = steps;
    const ends = [a!, b!].map((step) => step.endedAt!.getTime());
    expect(join!.releasedAt!.getTime()).toBeGreaterThanOrEqual(Math.max(...ends));
  }

  test('go on while a transaction of the caller waits: no step is released before its parents have ended', async () => {
    const runId = await started('joined');
    await lock(await runOf(runId, 'a'));
    const late = database.source.transaction((manager) =>
      app.workflows.complete({ runId, step: 'a' }, 1, { manager }),
    );
    await waiting(1);
    await app.workflows.complete({ runId, step: 'b' }, 1);
    await release();
    await late;
    await app.scheduler.waitForRun(runId);
    await expectOrder(runId);
  });

  test('go on while the transaction of a step waits', async () => {
    let end!: () => void;
    mayEnd = new Promise((resolve) => (end = resolve));
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const runId = await started('within');
    await asked;
    const { steps } = (await app.workflows.graph(runId))!;
    await lock(steps[0]!.runId!);
    end();
    await waiting(1);
    await app.workflows.complete({ runId, step: 'b' }, 1);
    await release();
    await app.scheduler.waitForRun(runId);
    await expectOrder(runId);
  });

  test('go on while a workflow waits to be cancelled, by a call of its own and by one in a transaction: it is over after what has ended in it', async () => {
    const cancels = [
      (runId: string) => app.workflows.cancel(runId),
      (runId: string) => database.source.transaction((manager) => app.workflows.cancel(runId, { manager })),
    ];
    for (const cancel of cancels) {
      const runId = await started('joined');
      await lock(runId, 'flow');
      const completed = app.workflows.complete({ runId, step: 'b' }, 1);
      await waiting(1);
      const cancelled = cancel(runId);
      await waiting(2);
      await release();
      await Promise.all([completed, cancelled]);
      const { steps, endedAt } = (await app.workflows.graph(runId))!;
      expect(steps.map(({ state }) => state)).toEqual(['cancelled', 'succeeded', 'cancelled']);
      expect(endedAt!.getTime()).toBeGreaterThanOrEqual(steps[1]!.endedAt!.getTime());
    }
  });
});
