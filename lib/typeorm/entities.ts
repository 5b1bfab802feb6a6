import { EntitySchema, type ColumnType, type EntitySchemaColumnOptions } from 'typeorm';
import {
  attemptColumns,
  cursorColumns,
  gapColumns,
  jobColumns,
  jobStatColumns,
  lockColumns,
  auditColumns,
  runLogColumns,
  runProgressColumns,
  pauseColumns,
  overdueColumns,
  pauseEndColumns,
  releaseColumns,
  runColumns,
  runSignalColumns,
  runStepColumns,
  binaryColumns,
  bulkActionColumns,
  definitionColumns,
  statisticsColumns,
  workerColumns,
  type Columns,
  type ShortType,
} from './entity.columns.js';
import type {
  ChronisAttempt,
  ChronisAudit,
  ChronisRunLog,
  ChronisRunProgress,
  ChronisBinary,
  ChronisBulkAction,
  ChronisCursor,
  ChronisGap,
  ChronisJob,
  ChronisJobStat,
  ChronisLock,
  ChronisPause,
  ChronisOverdue,
  ChronisPauseEnd,
  ChronisRelease,
  ChronisRun,
  ChronisRunSignal,
  ChronisRunStep,
  ChronisDefinition,
  ChronisStatistics,
  ChronisWorker,
} from './entity.rows.js';
import { flowColumns, flowEdgeColumns, flowStepColumns, runWaitColumns } from './flow.entity.columns.js';
import type { ChronisFlow, ChronisFlowEdge, ChronisFlowStep, ChronisRunWait } from './flow.entity.rows.js';
import { tableNames } from './sql/table.names.js';
import type { TableOptions } from './typeorm.options.js';

/** A row of the history: what it was, and when it was pruned. @publicApi */
export type Archived<Row> = Row & { archivedAt: Date };

const statisticsKey = ['startAt', 'namespace', 'queue', 'handler', 'verdict'] as const;

/** The tables as entities, by the names of the tables. @publicApi */
export interface ChronisEntities {
  job: EntitySchema<ChronisJob>;
  cursor: EntitySchema<ChronisCursor>;
  run: EntitySchema<ChronisRun>;
  runSignal: EntitySchema<ChronisRunSignal>;
  runStep: EntitySchema<ChronisRunStep>;
  runWait: EntitySchema<ChronisRunWait>;
  definition: EntitySchema<ChronisDefinition>;
  binary: EntitySchema<ChronisBinary>;
  flow: EntitySchema<ChronisFlow>;
  flowStep: EntitySchema<ChronisFlowStep>;
  flowEdge: EntitySchema<ChronisFlowEdge>;
  definitionHistory: EntitySchema<Archived<ChronisDefinition>>;
  flowHistory: EntitySchema<Archived<ChronisFlow>>;
  flowStepHistory: EntitySchema<Archived<ChronisFlowStep>>;
  flowEdgeHistory: EntitySchema<Archived<ChronisFlowEdge>>;
  attempt: EntitySchema<ChronisAttempt>;
  gap: EntitySchema<ChronisGap>;
  statMinute: EntitySchema<ChronisStatistics>;
  statHour: EntitySchema<ChronisStatistics>;
  statDay: EntitySchema<ChronisStatistics>;
  pause: EntitySchema<ChronisPause>;
  overdue: EntitySchema<ChronisOverdue>;
  bulkAction: EntitySchema<ChronisBulkAction>;
  pauseEnd: EntitySchema<ChronisPauseEnd>;
  audit: EntitySchema<ChronisAudit>;
  runLog: EntitySchema<ChronisRunLog>;
  runProgress: EntitySchema<ChronisRunProgress>;
  jobStat: EntitySchema<ChronisJobStat>;
  worker: EntitySchema<ChronisWorker>;
  release: EntitySchema<ChronisRelease>;
  lock: EntitySchema<ChronisLock>;
}

/**
 * Entities to read the tables with: put them into the application's DataSource. Its own `synchronize` leaves them alone; `dropSchema` does not, as it drops all tables of each schema that
 * an entity is in, so keep them out of a DataSource that has it. Not for writing: SchedulerService does that. Throws InvalidOptionError (schema, tablePrefix).
 *
 * @example
 * const chronis = chronisEntities();
 * new DataSource({ …, entities: [Invoice, ...Object.values(chronis)] });
 * dataSource.getRepository(chronis.attempt).findBy({ jobId: 'nightly-report', final: true });
 * @publicApi
 */
export function chronisEntities(options: TableOptions = {}): ChronisEntities {
  const { schema = 'chronis', tablePrefix = '' } = options;
  tableNames(schema, tablePrefix);
  const entity = <Row extends object>(
    table: string,
    primary: readonly (keyof Row & string)[],
    columns: Columns<Row>,
  ): EntitySchema<Row> => {
    const isPrimary = (property: string): boolean => (primary as readonly string[]).includes(property);
    const options = Object.entries<ShortType>(columns).map(([property, type]) => [
      property,
      columnOf(property, type, isPrimary(property)),
    ]);
    return new EntitySchema<Row>({
      name: `Chronis${nameOf(table)}`,
      tableName: `${tablePrefix}${table}`,
      schema,
      synchronize: false,
      columns: Object.fromEntries(options) as never,
    });
  };
  return {
    job: entity('job', ['uid'], jobColumns),
    cursor: entity('cursor', ['jobUid'], cursorColumns),
    run: entity('run', ['id'], runColumns),
    runSignal: entity('run_signal', ['id'], runSignalColumns),
    runStep: entity('run_step', ['runId', 'name'], runStepColumns),
    runWait: entity('run_wait', ['child', 'nth'], runWaitColumns),
    definition: entity('definition', ['id'], definitionColumns),
    binary: entity('binary', ['sha256'], binaryColumns),
    flow: entity('flow', ['id'], flowColumns),
    flowStep: entity('flow_step', ['id'], flowStepColumns),
    flowEdge: entity('flow_edge', ['parent', 'child'], flowEdgeColumns),
    definitionHistory: entity('definition_history', ['id'], archived(definitionColumns)),
    flowHistory: entity('flow_history', ['id'], archived(flowColumns)),
    flowStepHistory: entity('flow_step_history', ['id'], archived(flowStepColumns)),
    flowEdgeHistory: entity('flow_edge_history', ['parent', 'child'], archived(flowEdgeColumns)),
    attempt: entity('attempt', ['runId', 'fence', 'final'], attemptColumns),
    gap: entity('gap', ['id'], gapColumns),
    statMinute: entity('stat_minute', statisticsKey, statisticsColumns),
    statHour: entity('stat_hour', statisticsKey, statisticsColumns),
    statDay: entity('stat_day', statisticsKey, statisticsColumns),
    pause: entity('pause', ['kind', 'name'], pauseColumns),
    bulkAction: entity('bulk_action', ['id'], bulkActionColumns),
    overdue: entity('overdue', ['namespace', 'jobId', 'dueAt'], overdueColumns),
    pauseEnd: entity('pause_end', ['kind', 'namespace', 'name'], pauseEndColumns),
    audit: entity('audit', ['id'], auditColumns),
    runLog: entity('run_log', ['runId', 'fence', 'part'], runLogColumns),
    runProgress: entity('run_progress', ['runId'], runProgressColumns),
    jobStat: entity('job_stat', ['jobUid'], jobStatColumns),
    worker: entity('worker', ['id'], workerColumns),
    release: entity('release', ['generation'], releaseColumns),
    lock: entity('lock', ['key'], lockColumns),
  };
}

function archived<Row extends object>(columns: Columns<Row>): Columns<Archived<Row>> {
  return { ...columns, archivedAt: 'timestamptz' } as Columns<Archived<Row>>;
}

function columnOf(property: string, short: ShortType, primary: boolean): EntitySchemaColumnOptions {
  const nullable = short.endsWith('?');
  const type = short.replace('?', '');
  return {
    name: property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    type: type.replace('[]', '') as ColumnType,
    array: type.endsWith('[]'),
    nullable,
    primary,
  };
}

function nameOf(table: string): string {
  return table.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
