import { tableNames, type TableName } from '../journal/change.js';

/** Raised when what is written changes; a file of another version is refused. */
export const sqliteSchemaVersion = 1;

/** By which file a database says whose it is: "chrn". */
export const applicationId = 0x6368726e;

/** Where rows of each are: a key, and the row as JSON. */
export function tableOf(name: TableName): string {
  return `chronis_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}

/** Whether keys are numbers, not text. */
export const isNumbered = (name: TableName): boolean => name === 'attempts' || name === 'gaps';

const tables = tableNames.map(
  (name) =>
    `create table if not exists ${tableOf(name)} (key ${isNumbered(name) ? 'integer' : 'text'} primary key, row text not null)${isNumbered(name) ? '' : ' without rowid'};`,
);

/** Files of an early state of this version lack some. */
export const tablesSql = tables.join('\n');

const text = (path: string): string => `row ->> '$.${path}'`;
/** Milliseconds, as text that SQLite's functions of dates understand. */
const instant = (path: string): string =>
  `strftime('%Y-%m-%dT%H:%M:%fZ', ${text(path)} / 1000.0, 'unixepoch')`;

const definition = (field: string): string => text(`definition.${field}`);

/** What is read by SQL, with the names that the views on PostgreSQL have. */
const views: Record<string, Record<string, string>> = {
  attempts: {
    ...columns('run_id', 'job_id', 'namespace', 'handler', 'queue', 'origin', 'nominal_at', 'attempt'),
    ...columns('worker', 'outcome', 'final', 'started_at', 'finished_at', 'error', 'result', 'retry_of'),
  },
  gaps: {
    ...columns('job_id', 'namespace'),
    from_at: text('from'),
    until_at: text('until'),
    ...columns('verdict', 'count', 'reason'),
  },
  jobs: {
    namespace: definition('namespace'),
    id: definition('id'),
    name: definition('name'),
    ...columns('kind', 'source', 'app'),
    handler: definition('handler'),
    queue: definition('queue'),
    priority: definition('priority'),
    trigger: definition('trigger'),
    time_zone: definition('timeZone'),
    payload: definition('payload'),
    metadata: definition('metadata'),
    policies: definition('policies'),
    next_run_at: `iif(${text('cursorAt')} = 'end-of-run', null, ${instant('cursorAt')})`,
    paused_at: instant('pause.at'),
    orphaned_at: instant('orphanedAt'),
    run_count: text('statistics.runCount'),
    error_count: text('statistics.errorCount'),
    last_run_at: instant('statistics.lastRunAt'),
    last_verdict: text('statistics.lastVerdict'),
    last_error: text('statistics.lastError'),
    created_at: instant('createdAt'),
    updated_at: instant('updatedAt'),
    revision: text('revision'),
  },
  workers: {
    worker_id: 'key',
    ...columns('name', 'app', 'host', 'pid', 'version', 'running'),
    started_at: instant('startedAt'),
    lease_until: instant('leaseUntil'),
  },
};

/** Their jobs are looked up, but for those that have one of their own. */
const runView = `create view runs as select run.key as run_id,
  coalesce(run.row ->> '$.job.definition.id', job.row ->> '$.definition.id') as job_id,
  coalesce(run.row ->> '$.job.definition.namespace', job.row ->> '$.definition.namespace') as namespace,
  run.row ->> '$.claimedAs.handler' as handler, run.row ->> '$.claimedAs.queue' as queue, run.row ->> '$.origin' as origin,
  ${['nominalAt', 'dueAt', 'startedAt', 'finishedAt'].map((field) => `${instant(field).replaceAll('row ->>', 'run.row ->>')} as ${snake(field)}`).join(', ')},
  run.row ->> '$.attempt' as attempt, run.row ->> '$.worker' as worker, run.row ->> '$.verdict' as verdict,
  run.row ->> '$.lastError' as last_error, run.row ->> '$.retryOf' as retry_of
from chronis_runs run left join chronis_jobs job on job.key = run.row ->> '$.job';`;

/** Of queries of the record. */
const indexes = [
  `create index chronis_attempts_job on chronis_attempts (row ->> '$.namespace', row ->> '$.jobId', key);`,
  `create index chronis_attempts_run on chronis_attempts (row ->> '$.runId');`,
  `create index chronis_gaps_job on chronis_gaps (row ->> '$.namespace', row ->> '$.jobId', key);`,
];

export const schemaSql = [
  tablesSql,
  ...indexes,
  ...Object.entries(views).map(
    ([name, fields]) =>
      `create view ${name} as select ${Object.entries(fields)
        .map(([column, expression]) => `${expression} as "${column}"`)
        .join(', ')} from ${tableOf(name as TableName)};`,
  ),
  runView,
  `pragma application_id = ${applicationId};`,
  `pragma user_version = ${sqliteSchemaVersion};`,
].join('\n');

/** Columns of the fields that have their name. */
function columns(...names: readonly string[]): Record<string, string> {
  const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(names.map((name) => [name, text(camel(name))]));
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
