import type { Page } from '../model/job.js';
import { longestRetention, shortestKeptMs, type Retention } from '../model/retention.js';
import {
  floorTo,
  markAfter,
  unitMs,
  type RollupMark,
  type RollupOrder,
  type StatisticsRow,
  type StatisticsUnit,
} from '../model/rollup.js';
import type { Outcome } from '../model/verdict.js';
import type {
  EpochMs,
  PageRequest,
  RollupFilter,
  RollupState,
  RollupStorage,
} from '../ports/storage.adapter.js';
import { Conditions } from './conditions.js';
import { toPage } from './paging.js';
import { queryRollupsSql } from './sql/query.rollups.sql.js';
import type { TableNames } from './sql/table.names.js';
import { at } from './sql/time.fragment.js';
import type { StatementScope } from './statement.runner.js';

interface RollupRow {
  start_ms: EpochMs;
  namespace: string;
  queue: string;
  handler: string;
  verdict: Outcome;
  runs: number;
  attempts: number;
  duration_ms: number;
  longest_ms: number;
  lateness: number[];
}

/** Statistics in PostgreSQL. */
export class TypeOrmRollups implements RollupStorage {
  constructor(
    private readonly statements: StatementScope,
    private readonly tables: TableNames,
  ) {}

  async rollupState(): Promise<RollupState> {
    const { run } = this.statements;
    const [{ mark, oldest, now }] = await run<{
      mark: string | null;
      oldest: EpochMs | null;
      now: EpochMs;
    }>('readRollups');
    const [first, ...others] = await run<{ retention: Retention }>('wantedRetentions');
    const wholeMs =
      first === undefined
        ? null
        : shortestKeptMs(longestRetention([first.retention, ...others.map(({ retention }) => retention)]));
    return { now, mark: markOf(mark), oldest, wholeMs };
  }

  makeRollups(order: RollupOrder): Promise<boolean> {
    const { from, until, kind, wholeMs } = order;
    return this.statements.change(async ({ run }) => {
      const [{ mark, now }] = await run<{ mark: string | null; now: EpochMs }>('lockRollups');
      if (from < now - wholeMs) return false;
      const differs =
        kind !== 'check' || (await run<{ differs: boolean }>('compareRollups', from, until))[0].differs;
      if (differs) {
        await run('rollUpMinutes', from, until);
        const hour = floorTo(from, 'hour');
        await run('rollUpHours', hour, hour + unitMs.hour);
        const day = floorTo(from, 'day');
        await run('rollUpDays', day, day + unitMs.day);
      }
      await run('markRollups', JSON.stringify(markAfter(markOf(mark), order)));
      return differs;
    });
  }

  async queryRollups(
    { unit, from, until, namespace, queue, handler }: RollupFilter,
    { limit = 100, cursor }: PageRequest,
  ): Promise<Page<StatisticsRow> & { mark: RollupMark | null }> {
    const conditions = new Conditions(limit + 1);
    conditions.add(`v.start_at >= ${at('?::float8')} and v.start_at < ${at('?::float8')}`, from, until);
    conditions.among('v.namespace', namespace);
    conditions.among('v.queue', queue);
    conditions.among('v.handler', handler);
    const place = `(v.start_at, v.namespace, v.queue, v.handler, v.verdict) > (${at('?::float8')}, ?, ?, ?, ?)`;
    conditions.after(cursor, ['instant', 'text', 'text', 'text', 'text'], place);
    const text = queryRollupsSql(this.tables, unit, conditions.text);
    const rows = await this.statements.queries.run<RollupRow>(text, conditions.values);
    const [found] = await this.statements.run<{ mark: string | null }>('readRollupMark');
    const page = toPage(
      rows,
      limit,
      toRow,
      ({ start_ms, namespace: space, queue: of, handler: by, verdict }) => [start_ms, space, of, by, verdict],
    );
    return { ...page, mark: markOf(found?.mark ?? null) };
  }

  async forgetRollups(
    { minute, hour, day }: Readonly<Record<StatisticsUnit, number>>,
    limit: number,
  ): Promise<number> {
    const [{ count }] = await this.statements.run<{ count: number }>(
      'forgetRollups',
      minute,
      hour,
      day,
      limit,
    );
    return count;
  }
}

function markOf(text: string | null): RollupMark | null {
  return text === null ? null : (JSON.parse(text) as RollupMark);
}

function toRow({
  start_ms,
  duration_ms: durationMs,
  longest_ms: longestMs,
  ...row
}: RollupRow): StatisticsRow {
  const { namespace, queue, handler, verdict, runs, attempts, lateness } = row;
  const start = new Date(start_ms);
  return { start, namespace, queue, handler, verdict, runs, attempts, durationMs, longestMs, lateness };
}
