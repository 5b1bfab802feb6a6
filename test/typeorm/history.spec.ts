import { describe, expect, test } from 'vitest';
import type { NewDefinition, Retention, StorageAdapter } from '../../lib/index.js';
import { day, hour, minute, startWorker } from '../../lib/testing/laws/fixture.js';
import { claimSteps, openAs, openFlow, runAll, step } from '../../lib/testing/laws/flow.fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { newStorage } from '../support/postgres.subject.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

const clock = new ManualClock(Date.now());
let schema: string;
let storage: StorageAdapter;
const client = storageForEachTest('history', (fresh) => ({ schema, storage } = fresh), { clock });

const tables = ['definition', 'flow', 'flow_step', 'flow_edge'] as const;
type Rows = Record<(typeof tables)[number], Record<string, unknown>[]>;

/** What is in the tables, or in their history, without when it came there. */
async function rowsOf(suffix: '' | '_history' = '_history'): Promise<Rows> {
  const all: Partial<Rows> = {};
  for (const table of tables) {
    const { rows } = await client.query<{ row: Record<string, unknown> }>(
      `select to_jsonb(t) - 'archived_at' as row from "${schema}"."${table}${suffix}" t order by 1`,
    );
    all[table] = rows.map(({ row }) => row);
  }
  return all as Rows;
}

const count = ({ definition, flow, flow_step, flow_edge }: Rows): number[] =>
  [definition, flow, flow_step, flow_edge].map(({ length }) => length);

/** A flow that has ended, with what it is by now. */
async function ended(id: string): Promise<string> {
  const steps = [step('list'), step('each', ['list'], { map: true }), step('late', ['each', 'list'])];
  const { runId, worker } = await openFlow(storage, steps, { version: 1, params: { id }, job: { id } });
  await runAll(storage, worker, (name) =>
    name.startsWith('each') ? { outcome: 'failed', error: 'no' } : { result: [1, 'two'] },
  );
  return runId;
}

async function deleted(name: string): Promise<void> {
  const definition: NewDefinition = {
    ...{ namespace: 'default', name, version: null, kind: 'handler', app: 'shop', source: 'api' },
    ...{
      spec: { handler: 'work', nested: [1] },
      paramsSchema: { type: 'object' },
      hash: name,
      createdBy: 'ada',
    },
  };
  await storage.definitions!.putDefinitions([definition]);
  await storage.definitions!.deleteDefinition({ namespace: 'default', name }, null);
}

const kept = (historyMs: number): Retention => ({ defaultMs: hour, byVerdict: {}, historyMs });

describe('the history', () => {
  test('has what pruning removes of workflows and definitions, column by column', async () => {
    await ended('one');
    await deleted('mail');
    const before = await rowsOf('');
    expect(count(before)).toEqual([1, 1, 5, 3]);
    await clock.advanceBy(hour);
    const later = await storage.now();
    expect(await storage.flows!.pruneFlows(later, 10, true)).toBe(1);
    expect(await storage.definitions!.pruneDefinitions(later, 10, true)).toBe(1);
    expect(await rowsOf()).toEqual(before);
    expect(count(await rowsOf(''))).toEqual([0, 0, 0, 0]);
    const { rows } = await client.query<{ at: Date }>(
      `select archived_at as at from "${schema}".flow_step_history union select archived_at from "${schema}".definition_history`,
    );
    expect(rows.map(({ at }) => at.getTime())).toEqual([later]);
  });

  test('has nothing of what is pruned without it', async () => {
    await ended('one');
    await deleted('mail');
    await clock.advanceBy(2 * hour);
    const later = await storage.now();
    expect(await storage.flows!.pruneFlows(later, 10)).toBe(1);
    expect(await storage.definitions!.pruneDefinitions(later, 10)).toBe(1);
    expect(count(await rowsOf())).toEqual([0, 0, 0, 0]);
  });

  test('is written by the statement that deletes: what it does not take stays where it is', async () => {
    await ended('one');
    await client.query(`alter table "${schema}".flow_edge_history add check (data is null)`);
    await clock.advanceBy(hour);
    await expect(storage.flows!.pruneFlows(await storage.now(), 10, true)).rejects.toThrow('check');
    expect([count(await rowsOf('')), count(await rowsOf())]).toEqual([
      [0, 1, 5, 3],
      [0, 0, 0, 0],
    ]);
  });

  test('gets from the janitor what is as old as the record, and loses it when it is old itself', async () => {
    await ended('one');
    await deleted('mail');
    await clock.advanceBy(hour + minute);
    await storage.prune(kept(2 * hour));
    expect([count(await rowsOf('')), count(await rowsOf())]).toEqual([
      [0, 0, 0, 0],
      [1, 1, 5, 3],
    ]);
    await ended('two');
    await clock.advanceBy(hour + minute);
    await storage.prune(kept(2 * hour));
    expect(count(await rowsOf())).toEqual([1, 2, 10, 6]);
    await clock.advanceBy(hour);
    await storage.prune(kept(2 * hour));
    expect(count(await rowsOf())).toEqual([0, 1, 5, 3]);
    await storage.prune(kept(0));
    expect(count(await rowsOf())).toEqual([0, 0, 0, 0]);
  });

  test('loses what is old in batches, as many as it takes', async () => {
    const row = `insert into "${schema}".flow_history (id, run_id, active, steps, depth, opened_at, ended_at, verdict, nominal_at, workflow, namespace, time_zone, params, archived_at)
      select n, n, 0, 1, 1, now(), now(), 'succeeded', now(), 'w', 'default', 'UTC', '{}', $1 from generate_series(1, 120) n`;
    await client.query(row, [new Date((await storage.now()) - day)]);
    const left: number[] = [];
    for (let more = true; more;) {
      ({ more } = await storage.prune(kept(hour)));
      left.push(count(await rowsOf())[1]!);
    }
    expect(left).toEqual([70, 20, 0]);
  });

  test('is kept for as long as any app wants it', async () => {
    await startWorker(storage, { app: 'other', retention: kept(3 * hour), leaseMs: 400 * day });
    await ended('one');
    await clock.advanceBy(hour + minute);
    await storage.prune(kept(0));
    expect(count(await rowsOf())).toEqual([0, 1, 5, 3]);
    await clock.advanceBy(2 * hour);
    await storage.prune(kept(0));
    expect(count(await rowsOf())).toEqual([0, 1, 5, 3]);
    await clock.advanceBy(hour + minute);
    await storage.prune(kept(0));
    expect(count(await rowsOf())).toEqual([0, 0, 0, 0]);
  });

  test('gets no flow of which an ancestor goes on, nor a definition that a flow pins', async () => {
    const steps = [step('sub'), step('late', ['sub'], { delayMs: 10 * day })];
    const { worker } = await openFlow(storage, steps, { workflow: 'mail', version: 1, job: { id: 'outer' } });
    const { sub } = await claimSteps(storage, worker);
    await openAs(storage, sub!, [step('inner')], { workflow: 'inner' });
    await runAll(storage, worker);
    await deleted('mail');
    await clock.advanceBy(hour + minute);
    await storage.prune(kept(day));
    expect(count(await rowsOf())).toEqual([0, 0, 0, 0]);
    await clock.advanceBy(10 * day);
    await runAll(storage, worker);
    await clock.advanceBy(hour + minute);
    for (let more = true; more;) ({ more } = await storage.prune(kept(day)));
    await storage.prune(kept(day));
    const { definition, flow } = await rowsOf();
    expect(new Set(flow.map(({ workflow }) => workflow))).toEqual(new Set(['inner', 'mail']));
    expect(definition.map(({ name }) => name)).toEqual(['mail']);
  });

  test('is read by views: workflows, and their steps with what they came after', async () => {
    const runId = await ended('one');
    await clock.advanceBy(hour);
    await storage.flows!.pruneFlows(await storage.now(), 10, true);
    const flows = await client.query(
      `select run_id, workflow, version, verdict, params, counts from "${schema}".flows_history_view`,
    );
    expect(flows.rows).toEqual([
      {
        ...{ run_id: runId, workflow: 'nightly', version: 1, verdict: 'failed', params: { id: 'one' } },
        counts: { succeeded: 1, failed: 3, blocked: 1 },
      },
    ]);
    const steps = await client.query(
      `select name, nth, state, after, reason, result from "${schema}".flow_steps_history_view where flow_run_id = $1 order by name, nth nulls first`,
      [runId],
    );
    const bad = { name: 'each', after: [], state: 'failed', reason: 'no', result: null };
    expect(steps.rows).toEqual([
      expect.objectContaining({ ...bad, nth: null, after: ['list'], reason: expect.any(String) as string }),
      { ...bad, nth: 0 },
      { ...bad, nth: 1 },
      { ...bad, name: 'late', nth: null, state: 'blocked', after: ['list', 'each'], reason: null },
      {
        ...bad,
        ...{ name: 'list', nth: null, state: 'succeeded', reason: null, result: [1, 'two'] },
      },
    ]);
  });

  test('costs other processes nothing that prune at the same time: each row goes there once', async () => {
    for (let nth = 0; nth < 6; nth++) await ended(`job-${nth}`);
    await clock.advanceBy(hour);
    const later = await storage.now();
    const second = newStorage({ schema, clock });
    await second.init();
    const prune = async (of: StorageAdapter): Promise<number> => {
      let sum = 0;
      for (let some = 1; some > 0; sum += some) some = await of.flows!.pruneFlows(later, 1, true);
      return sum;
    };
    const [one, two] = await Promise.all([prune(storage), prune(second)]);
    await second.close();
    expect(one + two).toBe(6);
    expect(count(await rowsOf())).toEqual([0, 6, 30, 18]);
  });
});
