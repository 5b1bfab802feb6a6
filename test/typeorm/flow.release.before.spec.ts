import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { claimSteps, flowOf, openFlow, statesOf, step } from '../../lib/testing/laws/flow.fixture.js';
import { settle } from '../../lib/testing/laws/fixture.js';
import { newStorage } from '../support/postgres.subject.js';
import { ReleaseBefore } from '../support/release.before.js';
import { freshSchema } from '../support/schema.js';

// The release before knows no workflows. Beside ours, and with a handler of that name, it claims and ends what is a step of one.

let before: ReleaseBefore;
let storage: StorageAdapter;
let schema: string;

beforeEach(async () => {
  schema = freshSchema('before_flows');
  before = new ReleaseBefore(schema, 'worker-before', 'shop');
  await before.open();
  storage = newStorage({ schema });
  await storage.init();
  await before.register();
});

afterEach(async () => {
  await storage.close();
  await before.close();
});

/** As a settlement of it leaves the tables. */
async function ends(runId: string, outcome: string, keeps: 'in the ledger' | 'nowhere'): Promise<void> {
  const row = `namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, worker`;
  const gone = `delete from "${schema}".run where id = ${runId} returning id, ${row}`;
  await before.query(
    keeps === 'nowhere'
      ? gone
      : `with gone as (${gone})
         insert into "${schema}".attempt (run_id, ${row}, outcome, final, started_at, finished_at, error, result)
         select id, ${row}, '${outcome}', true, now(), now(), null, '[1, 2]' from gone`,
  );
}

describe('a flow beside the release before', () => {
  test.each([
    ['in the ledger', 'succeeded', { b: 'released', m: 'released', 'm.0': 'released', 'm.1': 'released' }],
    ['nowhere', 'lost', { b: 'blocked', m: 'blocked' }],
  ] as const)('is told of a step that it has ended, %s', async (keeps, state, rest) => {
    const { runId } = await openFlow(storage, [step('a'), step('b', ['a']), step('m', ['a'], { map: true })]);
    expect(await before.claim()).toEqual([`${runId}/a`]);
    const [{ id }] = await before.query<{ id: string }>(
      `select id from "${schema}".run where flow_step is not null`,
    );
    await ends(id, 'succeeded', keeps);
    expect(await statesOf(storage, runId)).toMatchObject({ a: 'released', b: 'waiting' });
    expect(await storage.flows!.reconcileFlows()).toBe(1);
    expect(await statesOf(storage, runId)).toEqual({ a: state, ...rest });
    expect(await storage.flows!.reconcileFlows()).toBe(0);
  });

  test('is over when that has ended its run, and the last step of it has ended', async () => {
    const { runId, worker } = await openFlow(storage, [
      step('a'),
      step('b', ['a']),
      step('c', [], { delayMs: 60_000 }),
    ]);
    const { a } = await claimSteps(storage, worker);
    await ends(runId, 'cancelled', 'in the ledger');
    await storage.flows!.reconcileFlows();
    expect(await flowOf(storage, runId)).toMatchObject({ verdict: null, ending: 'cancelled' });
    expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'cancelled', c: 'cancelled' });
    await settle(storage, a!);
    expect(await statesOf(storage, runId)).toEqual({ a: 'succeeded', b: 'cancelled', c: 'cancelled' });
    expect((await flowOf(storage, runId)).verdict).toBe('cancelled');
  });

  test('is left alone where nothing is to be told, however many there are', async () => {
    const { runId } = await openFlow(storage, [step('a'), step('b', ['a'])]);
    for (let call = 0; call < 3; call++) expect(await storage.flows!.reconcileFlows()).toBe(0);
    expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'waiting' });
  });
});
