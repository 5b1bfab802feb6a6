import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidWorkflowError, maxFlowSteps, MemoryStorage, type StorageAdapter } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { claimOne, settle, settlementOf } from '../../lib/testing/laws/fixture.js';
import {
  claimSteps,
  openAs,
  openFlow,
  runAll,
  statesOf,
  step,
  stepOf,
} from '../../lib/testing/laws/flow.fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// A million steps take minutes to make, so the count is set by hand.

describe('a workflow with all workflows in it has a bound on its steps', () => {
  const client = new pg.Client(databaseUrl());
  const schema = freshSchema('flow_bound');
  let postgres: StorageAdapter;

  beforeAll(async () => {
    await client.connect();
    postgres = newStorage({ schema });
    await postgres.init();
  }, 60_000);

  afterAll(async () => {
    await postgres.close();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  /** Each with a way to have a flow as if it had had so many steps. */
  const storages = {
    memory: (): Promise<[StorageAdapter, (runId: string, steps: number) => Promise<StorageAdapter>]> => {
      const options = { clock: new ManualClock() };
      const storage = new MemoryStorage(options);
      const count = async (runId: string, total: number): Promise<StorageAdapter> => {
        const stored = JSON.parse(storage.snapshot()) as { flows: { runId: string; total: number }[] };
        stored.flows.find((flow) => flow.runId === runId)!.total = total;
        return MemoryStorage.restore(JSON.stringify(stored), options);
      };
      return Promise.resolve([storage, count]);
    },
    PostgreSQL: (): Promise<[StorageAdapter, (runId: string, steps: number) => Promise<StorageAdapter>]> => {
      const count = async (runId: string, steps: number): Promise<StorageAdapter> => {
        await client.query(`update "${schema}".flow set steps = $2 where run_id = $1`, [runId, steps]);
        return postgres;
      };
      return Promise.resolve([postgres, count]);
    },
  };
  const kinds = Object.keys(storages) as (keyof typeof storages)[];

  test.each(kinds)('which is counted in the outermost, whatever adds to it: in %s', async (kind) => {
    const [first, count] = await storages[kind]();
    const steps = [step('sub'), step('list'), step('map', ['list'], { map: true })];
    const { runId, worker } = await openFlow(first, steps, { workflow: 'outer', job: { id: `in ${kind}` } });
    const runs = await claimSteps(first, worker);
    await openAs(first, runs.sub!, [
      step('a'),
      step('b'),
      step('list'),
      step('map', ['list'], { map: true }),
    ]);
    const storage = await count(runId, maxFlowSteps - 3);
    const inner = await claimSteps(storage, worker);

    const four = ['v', 'w', 'x', 'y'].map((name) => step(name));
    const tooMany = await settlementOf(storage, inner.a!, { flowStep: { added: four } });
    const refused = storage.settle([tooMany]);
    await expect(refused).rejects.toThrow(InvalidWorkflowError);
    await expect(refused).rejects.toThrow(
      `The workflow "nightly": the run ${runId} of the workflow "outer" would have more than 1000000 steps with all workflows in it. Let each step do more, or start others apart, by workflows.start().`,
    );
    const opened = { workflow: 'third', version: null, params: null, steps: four };
    const opening = storage.settle([
      await settlementOf(storage, inner.b!, { outcome: 'opened', flow: opened }),
    ]);
    await expect(opening).rejects.toThrow('The workflow "third": the run');
    expect(await statesOf(storage, runs.sub!.id)).toEqual({
      a: 'released',
      b: 'released',
      list: 'released',
      map: 'waiting',
    });

    await settle(storage, runs.list!, { result: [1, 2, 3, 4] });
    await settle(storage, inner.list!, { result: [1, 2] });
    const { state, reason } = await stepOf(storage, runId, 'map');
    expect([state, reason]).toEqual([
      'failed',
      `The result of the step "list" has 4 items, and the run ${runId} of the workflow "outer" may have 1000000 steps with all workflows in it.`,
    ]);
    expect((await stepOf(storage, runs.sub!.id, 'map')).state).toBe('released');
    await settle(storage, inner.a!, { flowStep: { added: [step('last')] } });
    const full = await settlementOf(storage, inner.b!, { flowStep: { added: [step('more')] } });
    await expect(storage.settle([full])).rejects.toThrow(InvalidWorkflowError);
    await settle(storage, inner.b!);
    await runAll(storage, worker);
    expect(await statesOf(storage, runId)).toEqual({ sub: 'succeeded', list: 'succeeded', map: 'failed' });

    const again = await storage.flows!.retryFlow(runId, ['sub']);
    const sub = await claimOne(storage, worker);
    await openAs(storage, sub, four, { workflow: 'third' });
    await runAll(storage, worker);
    expect((await stepOf(storage, again!.id, 'sub')).state).toBe('succeeded');
  });
});
