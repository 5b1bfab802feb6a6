import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobFilter, Unstarted } from '../../lib/index.js';
import { standingFilter } from '../../lib/scheduler/standing.pauses.js';
import { queryJobs } from '../../lib/typeorm/job.queries.js';
import { queryRuns } from '../../lib/typeorm/record.queries.js';
import { queryNextJobsSql } from '../../lib/typeorm/sql/query.next.jobs.sql.js';
import { queryJobsSql } from '../../lib/typeorm/sql/query.jobs.sql.js';
import type { Queries } from '../../lib/typeorm/database.js';
import { queryRunsSql } from '../../lib/typeorm/sql/query.runs.sql.js';
import { prepareStatements, preparedStatements, type StatementName } from '../../lib/typeorm/statements.js';
import { GrownTables } from '../support/grown.tables.js';
import { planModes, planOf, type Plan, type PlanMode } from '../support/plan.js';

/** A statement with the values from $2 on, the index that it has to use, and how many rows it may look at. @default 150, for ten that it is about */
interface Case {
  what: string;
  name: StatementName;
  values: (grown: GrownTables) => unknown[];
  index: string;
  rows?: number;
}

const capability = [['default'], ['work']];
const ten = Array.from({ length: 10 }, (_, i) => i + 1);
const each = <T>(value: T): T[] => ten.map(() => value);
const ids = ten.map(String);
const times = each(1_700_000_000_000);
/** Of what a step looks at in each queue and rank at most. */
const step = 1_000;

const claimsOf = (held: readonly Unstarted[]): unknown[] => [
  held.map(({ runId }) => runId),
  held.map(({ fence }) => fence),
];
const settlement = ({ recurring }: GrownTables, outcome: string, retryAt: number | null): unknown[] => [
  ...claimsOf(recurring),
  each(outcome),
  ...[times, times, each(retryAt)],
  ...[each(null), each(null)],
  // Fingerprints.
  outcome === 'failed' ? each('0123456789abcdef') : null,
];

function firing({ cursors }: GrownTables, overlap: string): unknown[] {
  const jobs = cursors.map(({ jobUid }) => jobUid);
  const nominal = cursors.map(({ nominalAt }) => nominalAt);
  const revisions = cursors.map(({ revision }) => revision);
  const next = nominal.map((at) => at + 60_000);
  const firings = [jobs, nominal, revisions, next, nominal, ten, each(overlap)];
  const births = [jobs, nominal, nominal, each(0)];
  const gaps = [jobs, times, times, each('missed'), each(1), each('misfire')];
  return ['worker', ...capability, 10, 50, ...firings, ...births, ...gaps, 'test', null];
}

const jobUids = ({ cursors }: GrownTables): string[] => cursors.map(({ jobUid }) => jobUid);

// oxfmt-ignore
const cases: Case[] = [
  { what: 'a claim from one queue', name: 'claimFromOne', values: () => ['worker', ...capability, 10, 2, 'test', null], index: 'run_claim' },
  { what: 'a claim from several queues', name: 'claimFromSeveral', values: () => ['worker', ['default', 'b'], ['work'], 10, 2, 'test', null], index: 'run_claim' },
  { what: 'the look at what comes next', name: 'nextWake', values: () => ['worker', ...capability, 'test'], index: 'run_claim' },
  { what: 'the read of due cursors', name: 'dueCursors', values: () => [...capability, 10, 500, 'test'], index: 'cursor_due' },
  { what: 'a settlement of one-offs', name: 'settleOneOffs', values: ({ oneOffs }) => [...claimsOf(oneOffs), times, times, each(null), 'worker', '100'], index: 'run_pkey' },
  { what: 'a settlement of schedules', name: 'settleRecurring', values: ({ recurring }) => [...claimsOf(recurring), times, times, each(null), 'worker', '100'], index: 'run_pkey' },
  { what: 'a settlement', name: 'settleBriefly', values: (grown) => [...settlement(grown, 'succeeded', null), 'worker', false, '100'], index: 'run_pkey' },
  { what: 'a settlement for others that wait', name: 'settleBriefly', values: (grown) => [...settlement(grown, 'succeeded', null), 'worker', true, '100'], index: 'run_pkey' },
  { what: 'a settlement of failures', name: 'settleBriefly', values: (grown) => [...settlement(grown, 'failed', null), 'worker', true, '100'], index: 'run_pkey' },
  { what: 'a settlement that passes over what is locked', name: 'settlePassing', values: (grown) => [...settlement(grown, 'failed', null), 'worker', true], index: 'run_pkey' },
  { what: 'the traces of attempts', name: 'noteTraces', values: ({ recurring }) => [...claimsOf(recurring), each('00-1'), 'worker'], index: 'run_pkey' },
  { what: 'a settlement with retries', name: 'settleBriefly', values: (grown) => [...settlement(grown, 'failed', 1_700_000_000_000), 'worker', true, '100'], index: 'run_pkey' },
  { what: 'a settlement that leaves runs open', name: 'settleBriefly', values: (grown) => [...settlement(grown, 'opened', 1_700_000_000_000), 'worker', true, '100'], index: 'run_pkey' },
  { what: 'the taking of an open run', name: 'takeOpen', values: ({ open }) => [open, 'outside'], index: 'run_pkey' },
  { what: 'a hand-back', name: 'giveBack', values: ({ recurring }) => [...claimsOf(recurring), each('worker'), each(0), true], index: 'run_pkey' },
  ...['allow', 'skip', 'queue', 'cancel-running', 'wait'].map((overlap): Case => ({ what: `a fire with overlap ${overlap}`, name: 'fire', values: (grown) => firing(grown, overlap), index: 'run_job' })),
  { what: 'the lock of what others wait for', name: 'lockBlocking', values: (grown) => [jobUids(grown)], index: 'run_job' },
  { what: 'the end of a wait', name: 'unblock', values: (grown) => [jobUids(grown)], index: 'run_backfill' },
  { what: 'the end of a delay', name: 'wakeDelayed', values: (grown) => [jobUids(grown)], index: 'cursor_pkey' },
  { what: 'what a worker is told with a renewal', name: 'readNews', values: () => ['worker'], index: 'run_cancelled' },
  { what: 'the question what a worker holds', name: 'heldBy', values: () => ['worker'], index: 'run_claim', rows: 1_000 },
  { what: 'the release of lost runs', name: 'releaseLost', values: () => [], index: 'run_claim', rows: 1_000 },
  { what: 'the release of runs that were left', name: 'releaseLeft', values: ({ recurring }) => [recurring.map(({ runId }) => runId), []], index: 'run_pkey' },
  { what: 'the deferral of what nobody can run', name: 'deferStranded', values: () => [step, 30_000, 600_000], index: 'run_claim', rows: step },
  { what: 'the recall of what was deferred', name: 'recallDeferred', values: () => [step], index: 'run_deferred' },
  { what: 'the lift of what is overdue', name: 'liftOverdue', values: () => [step], index: 'run_claim', rows: step },
  { what: 'the taking of stock', name: 'takeStock', values: () => [], index: 'run_claim', rows: 1_000 },
  { what: 'the lock of all runs of a job', name: 'lockRuns', values: () => [['1'], []], index: 'run_job' },
  { what: 'the lock of all runs of many jobs', name: 'lockRuns', values: (grown) => [jobUids(grown), ids], index: 'run_job' },
  { what: 'the hold of all runs of many jobs', name: 'holdRuns', values: (grown) => [jobUids(grown), ids], index: 'run_job' },
  { what: 'the lock of many one-offs', name: 'lockJobs', values: () => [each('default'), ten.map((n) => `later-${n}`)], index: 'run_key' },
  { what: 'the lock of many recurring jobs', name: 'lockJobs', values: ({ cursors }) => [each('default'), cursors.map(({ jobId }) => jobId)], index: 'job_key' },
  { what: 'the read of many one-offs', name: 'readOneOffs', values: ({ oneOffs }) => [oneOffs.slice(0, 10).map(({ runId }) => runId), true], index: 'run_pkey' },
  { what: 'the read of many recurring jobs', name: 'readRecurring', values: (grown) => [jobUids(grown), true], index: 'job_pkey' },
  { what: 'a backfill', name: 'backfill', values: (grown) => [jobUids(grown)[0], times, null, false, false, true], index: 'run_job' },
  { what: 'the lock of one job', name: 'lockJobs', values: () => [['default'], ['later-1']], index: 'run_key' },
  { what: 'the read of one job', name: 'getJobs', values: () => [['default'], ['later-1']], index: 'run_key' },
  { what: 'the removal of a cursor', name: 'removeCursor', values: (grown) => [jobUids(grown)[0]], index: 'run_job' },
  { what: 'the forgetting of kept one-offs', name: 'forgetKept', values: () => [100, [], true], index: 'run_kept' },
];

const plans = planModes.flatMap((mode) =>
  cases
    .filter(({ name }) => mode === 'custom' || preparedStatements.has(name))
    .map((each) => [each.what, mode, each] as const),
);

describe.each(['when empty', 'when small'] as const)('with statistics of tables %s', (analyzed) => {
  const grown = new GrownTables();
  const sql = prepareStatements(grown.names);
  const explain = (text: string, values: unknown[], mode?: PlanMode): Promise<Plan> =>
    planOf(grown.client, text, [null, ...values], mode);

  async function planOfFirst(ask: (queries: Queries) => Promise<unknown>): Promise<Plan> {
    const asked: [text: string, values: unknown[]][] = [];
    const run = async <T>(text: string, values: readonly unknown[] = []): Promise<T[]> => {
      asked.push([text, [...values]]);
      return [];
    };
    await ask({ run });
    return explain(asked[0]![0], asked[0]![1]);
  }
  const planOfJobs = (filter: JobFilter): Promise<Plan> =>
    planOfFirst((queries) => queryJobs(queries, grown.names, filter, { limit: 100, orderBy: 'id' }));

  beforeAll(() => grown.fill(analyzed), 300_000);
  afterAll(() => grown.drop());

  describe.each(['stale', 'fresh'])('%s', (statistics) => {
    beforeAll(async () => {
      if (statistics === 'fresh') await grown.analyze();
    });

    test.each(plans)(
      '%s looks at few rows, by index: %s plan',
      async (_, mode, { name, values, index, rows }) => {
        const plan = await explain(sql[name], values(grown), mode);
        expect([...plan.scanned].filter((table) => GrownTables.hot.includes(table))).toEqual([]);
        expect(plan.indexes).toContain(index);
        expect(plan.touched).toBeGreaterThan(0);
        expect(plan.touched).toBeLessThanOrEqual(rows ?? 150);
      },
    );

    test('the look for pauses that were forgotten reads no job that is not paused', async () => {
      const plan = await explain(sql.stalePauses, [1_000, 100, true]);
      expect([...plan.scanned].filter((table) => GrownTables.hot.includes(table))).toEqual([]);
      expect(plan.indexes).toContain('job_paused');
      expect(plan.touched).toBe(0);
    });

    test('a page of jobs is read in the order of indexes', async () => {
      const text = queryJobsSql(grown.names, 'v.namespace = $3 and (v.namespace, v.id) > ($4, $5)');
      const plan = await explain(text, [101, 'default', 'default', 'later-5']);
      expect([...plan.scanned]).toEqual([]);
      expect(plan.indexes).toContain('run_key');
      expect(plan.indexes).toContain('job_key');
    });

    test('what is paused of the declared jobs is found beside any number of one-offs', async () => {
      const plan = await planOfJobs(standingFilter('default'));
      expect([...plan.scanned]).toEqual([]);
      expect(plan.indexes).toContain('job_declared');
      expect(plan.touched).toBeLessThanOrEqual(150);
    });

    test.each([{ namespace: 'default' }, {}])('the runs of one job are found by index: %j', async (of) => {
      const filter = { ...of, jobId: 'later-7' };
      const plan = await planOfFirst((queries) => queryRuns(queries, grown.names, filter, { limit: 100 }));
      expect([...plan.scanned]).toEqual([]);
      expect(plan.touched).toBeLessThanOrEqual(10);
    });

    // The server takes a table that it knows to be empty for one that is quickly read.
    if (statistics === 'fresh')
      test('one-offs that have failed are found by the index of those that are over', async () => {
        const plan = await planOfJobs({ state: 'failed' });
        expect(plan.indexes).toContain('run_ended');
        expect(plan.touched).toBeLessThan(20_000);
      });

    test.each([
      ['waiting', 'job'],
      ['orphaned', 'run'],
    ] as const)('jobs that are %s are not looked for in the table %s', async (state, other) => {
      const plan = await planOfJobs({ state });
      const read = [...plan.scanned, ...plan.indexes];
      expect(read).not.toContain(other);
      expect(read).not.toContain(`${other}_key`);
    });

    test.each([
      ['the first page', 'true', null],
      ['the second page', '(v.next_run_at, v.namespace, v.id) > ($4::float8, $5, $6)', '$4'],
      ['a page of some states', "v.state in ('pending', 'scheduled')", null],
    ])('%s of what comes next reads few rows of many', async (_, where, after) => {
      const narrowing = {
        where: () => 'true',
        count: '$3',
        reach: '$3',
        handlers: null,
        before: null,
        after,
      };
      const text = queryNextJobsSql(grown.names, where, narrowing);
      const plan = await explain(text, [101, 101, Date.now(), 'default', 'a']);
      expect([...plan.scanned].filter((table) => table !== 'pause')).toEqual([]);
      expect(plan.indexes).toContain('run_claim');
      expect(plan.indexes).toContain('cursor_due');
      expect(plan.indexes).toContain('job_pkey');
      // As long as the server takes the table for small, it may as well sort.
      if (statistics === 'fresh') expect(plan.touched).toBeLessThanOrEqual(20_000);
    });

    test('that nothing comes before an instant is known from one look at indexes', async () => {
      const plans: Plan[] = [];
      const run = async <T>(text: string, values: readonly unknown[] = []): Promise<T[]> => {
        plans.push(await explain(text, [...values]));
        return (await grown.client.query(text, [null, ...values])).rows as T[];
      };
      const filter: JobFilter = {
        state: ['pending', 'scheduled'],
        triggerType: 'at',
        nextBefore: new Date(0),
      };
      const { items, cursor } = await queryJobs({ run }, grown.names, filter, {
        limit: 100,
        orderBy: 'nextRunAt',
      });
      expect([items, cursor, plans.length]).toEqual([[], null, 1]);
      expect([...plans[0]!.scanned].filter((table) => table !== 'pause')).toEqual([]);
      expect(plans[0]!.touched).toBeLessThanOrEqual(150);
    });

    test('a page of runs is read from the newest on', async () => {
      const plan = await explain(queryRunsSql(grown.names, 'v.number < $3'), [101, '15000']);
      expect([...plan.scanned]).toEqual([]);
      expect(plan.indexes).toContain('run_pkey');
    });
  });
});
