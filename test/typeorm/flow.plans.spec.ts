import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import type { StorageAdapter } from '../../lib/index.js';
import { columnsOf } from '../../lib/typeorm/sql/comments.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements, preparedStatements, type StatementName } from '../../lib/typeorm/statements.js';
import { planModes, planOf } from '../support/plan.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// Ten flows of 20,000, of one step each, with ten that wait for it and a map.

const flows = 20_000;
const ten = Array.from({ length: 10 }, (_, i) => i + 1);
/** The steps of the first ten flows, and the runs of these. */
const steps = ten.map((flow) => String((flow - 1) * 4 + 1));
const runs = ten.map(String);
/** The runs of ten flows that are over, which gave up. */
const dead = ten.map((flow) => String(10_000 + flow));
/** Of retries: they have nothing yet. */
const anew = ten.map((flow) => String(1_000_000 + flow));
const maps = ten.map((flow) => String((flow - 1) * 4 + 4));
const same = <T>(value: T): T[] => ten.map(() => value);

const cases: [what: string, name: StatementName, values: unknown[]][] = [
  ['the lock', 'lockFlows', [steps, []]],
  ['the end of steps', 'advanceFlows', [steps, runs, same('succeeded'), same(null), same('[1]'), []]],
  [
    'the end of steps that have failed',
    'advanceFlows',
    [steps, runs, same('failed'), same('no'), same(null), []],
  ],
  [
    'the end of steps, for a worker',
    'advanceFlowsFor',
    [steps, runs, same('succeeded'), same(null), same('[1]'), [], 'worker', ['default'], ['work'], 'app', 10],
  ],
  ['the look at steps', 'advanceFlows', [[], [], [], [], [], maps]],
  ['what a worker gets', 'readClaimedSteps', [steps, runs]],
  ['the expansion of maps', 'expandMaps', [maps]],
  ['the going on of maps', 'resumeMaps', [maps]],
  ['the release of steps by a retry', 'releaseSteps', [maps, runs]],
  ['the lock of the runs', 'lockFlowRuns', [runs]],
  ['the end of flows', 'endFlows', [runs]],
  ['the pause of flows', 'setFlowPause', [runs, true, true]],
  ['the look at flows within', 'flowsWithin', [runs]],
  ['the cancelling of flows', 'abandonFlows', [runs, same('{"outcome":"cancelled"}'), same(null)]],
  ['the look at steps that run', 'readRunningSteps', ['1']],
  ['the retry of runs', 'retryRuns', [dead, same(0)]],
  ['the carrying of what runs have left', 'carryRuns', [runs, anew]],
  ['the place of steps', 'locateSteps', [steps]],
  ['the look at what comes after steps', 'readStepsBehind', [steps]],
  ['the search for steps whose runs are gone', 'findLostSteps', ['0', 5, 10]],
  ['the forgetting of flows', 'forgetFlows', [Date.now(), true, 10, [], true]],
  ['the forgetting of the history of flows', 'forgetFlowHistory', [Date.now(), 10, [], true]],
  ['the forgetting of the history of definitions', 'forgetDefinitionHistory', [Date.now(), 10, [], true]],
];

const looked = ['flow', 'flow_step', 'flow_edge', 'run', 'flow_history', 'flow_step_history'];
looked.push('flow_edge_history', 'definition_history', 'run_step', 'run_signal', 'worker');

const plans = planModes.flatMap((mode) =>
  cases
    .filter(([, name]) => mode === 'custom' || preparedStatements.has(name))
    .map(([what, name, values]) => [what, mode, name, values] as const),
);

describe.each(['never analyzed', 'analyzed when empty', 'analyzed'])('in tables that were %s', (when) => {
  const client = new pg.Client(databaseUrl());
  const schema = freshSchema('flow_plans');
  const sql = prepareStatements(tableNames(schema, ''));
  let storage: StorageAdapter;

  beforeAll(async () => {
    await client.connect();
    storage = newStorage({ schema });
    await storage.init();
    const t = (name: string): string => `"${schema}"."${name}"`;
    if (when === 'analyzed when empty')
      await client.query(`analyze ${t('flow')}, ${t('flow_step')}, ${t('flow_edge')}, ${t('run')}`);
    await client.query(`
      insert into ${t('flow')} (run_id, active, depth, opened_at, ended_at, verdict, nominal_at, workflow, namespace, time_zone, params)
      select f, 1, 1, now(), case when f > 10000 then now() - interval '1 day' end, case when f > 10000 then 'succeeded' end, now(), 'w', 'default', 'UTC', '{}' from generate_series(1, ${flows}) f;
      insert into ${t('flow_step')} (flow, parents, need, run_id, released_at, priority, allow_failure, is_map, delay_ms, name, otherwise, kind, handler, queue, policies)
      select f, (n > 0)::int, (n > 0)::int, case when n = 0 then f end, case when n = 0 then now() end, 5, false, n = 3, 0, 's' || n, 'cancel', 'handler', 'work', 'default', '{}'
      from generate_series(1, ${flows}) f, generate_series(0, 3) n order by f, n;
      insert into ${t('flow_edge')} select (f - 1) * 4 + 1, (f - 1) * 4 + 1 + n, true from generate_series(1, ${flows}) f, generate_series(1, 3) n;
      insert into ${t('run')} (id, namespace, job_id, keyed, blocks, origin, handler, queue, priority, nominal_at, due_at, flow_step)
      select f, 'default', f || '/s0', false, true, 'workflow', 'work', 'default', 5, now(), now(), (f - 1) * 4 + 1 from generate_series(1, 10000) f;
      insert into ${t('run')} (id, namespace, job_id, keyed, blocks, origin, handler, queue, priority, nominal_at, verdict, finished_at)
      select f, 'default', 'w' || f, true, true, 'at', 'work', 'default', 5, now(), 'failed', now() from generate_series(10001, 10010) f`);
    await client.query(`update ${t('flow')} set parent = 1 where id = 11`);
    // Processes that are gone, and some that live, of which one has told of a step that goes on.
    await client.query(`
      insert into ${t('run_step')} (run_id, name, attempt, started_at, finished_at) select f, 's', 1, now(), now() from generate_series(1, ${flows}) f;
      insert into ${t('run_signal')} (run_id, name, sent_at, payload) select f, 's', now(), '1' from generate_series(1, ${flows}) f;
      insert into ${t('worker')} (id, name, app, host, pid, version, zone_data, queues, handlers, started_at, lease_until, released_at, running, given_up)
      select w, 'w', 'app', 'h', 1, '0', '2026a', '{}', '{}', now(), now() + case when w <= 10 then interval '1 hour' else interval '-1 hour' end, case when w > 10 then now() end, 0, case when w % 10 = 0 then array[(10000 + w) || '/s0'] end
      from generate_series(1, ${flows}) w`);
    const half = { flow: 'id <= 10000', flow_step: 'flow <= 10000', flow_edge: 'parent <= 40000' };
    const archived = (Object.entries(half) as [keyof typeof half, string][]).map(
      ([name, those]) =>
        `insert into ${t(`${name}_history`)} (${columnsOf(name).join(', ')}, archived_at) select ${columnsOf(name).join(', ')}, now() - interval '100 days' - row_number() over () * interval '1 ms' from ${t(name)} h where ${those}`,
    );
    await client.query(`${archived.join('; ')};
      insert into ${t('definition_history')} (id, namespace, name, version, kind, app, source, spec, hash, created_at, archived_at)
      select i, 'default', 'd' || i, 1, 'handler', 'app', 'api', '{}', 'h' || i, now(), now() - interval '100 days' - i * interval '1 ms' from generate_series(1, ${flows}) i`);
    if (when === 'analyzed') await client.query(`vacuum analyze ${looked.map(t).join(', ')}`);
  }, 60_000);

  afterAll(async () => {
    await storage.close();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });

  test.each(plans)('%s looks at few rows: %s plan', async (_, mode, name, values) => {
    const plan = await planOf(client, sql[name], [null, ...values], mode);
    expect([...plan.scanned].filter((table) => looked.includes(table))).toEqual([]);
    expect(plan.touched).toBeGreaterThan(0);
    expect(plan.touched).toBeLessThanOrEqual(400);
    expect(plan.compared).toBeLessThanOrEqual(2_000);
  });
});
