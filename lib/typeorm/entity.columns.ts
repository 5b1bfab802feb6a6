import type {
  ChronisAttempt,
  ChronisCursor,
  ChronisGap,
  ChronisJob,
  ChronisJobStat,
  ChronisLock,
  ChronisPause,
  ChronisRelease,
  ChronisRun,
  ChronisWorker,
} from './entity.rows.js';

/** `text`; a `?` at the end: may be null. */
export type ShortType =
  `${'text' | 'bigint' | 'integer' | 'smallint' | 'boolean' | 'json' | 'jsonb' | 'timestamptz' | 'text[]'}${'' | '?'}`;

export type Columns<Row> = Readonly<Record<keyof Row & string, ShortType>>;

export const jobColumns: Columns<ChronisJob> = {
  uid: 'bigint',
  namespace: 'text',
  id: 'text',
  name: 'text?',
  source: 'text',
  app: 'text?',
  generation: 'integer',
  handler: 'text',
  queue: 'text',
  priority: 'smallint',
  trigger: 'json',
  triggerType: 'text',
  timeZone: 'text',
  payload: 'json',
  metadata: 'jsonb',
  policies: 'json',
  definitionHash: 'text',
  pausedAt: 'timestamptz?',
  pausedReason: 'text?',
  pausedBy: 'text?',
  undeclaredSince: 'timestamptz?',
  orphanedAt: 'timestamptz?',
  openGap: 'bigint?',
  fired: 'integer',
  revision: 'integer',
  createdAt: 'timestamptz',
  updatedAt: 'timestamptz',
};

export const cursorColumns: Columns<ChronisCursor> = {
  jobUid: 'bigint',
  namespace: 'text',
  handler: 'text',
  queue: 'text',
  nextAt: 'timestamptz',
  delayMs: 'bigint?',
  revision: 'integer',
  fired: 'integer',
};

export const runColumns: Columns<ChronisRun> = {
  id: 'bigint',
  namespace: 'text',
  jobId: 'text',
  keyed: 'boolean',
  jobUid: 'bigint?',
  origin: 'text',
  handler: 'text',
  queue: 'text',
  priority: 'smallint',
  nominalAt: 'timestamptz',
  dueAt: 'timestamptz?',
  held: 'boolean',
  heldDueAt: 'timestamptz?',
  blocked: 'boolean',
  blocks: 'boolean',
  missed: 'integer',
  attempt: 'integer',
  fence: 'integer',
  lostCount: 'integer',
  worker: 'text?',
  startedAt: 'timestamptz?',
  claimedHandler: 'text?',
  claimedQueue: 'text?',
  cancelRequested: 'boolean',
  lastAttempt: 'boolean',
  retryOf: 'bigint?',
  deadOf: 'bigint?',
  verdict: 'text?',
  finishedAt: 'timestamptz?',
  keepUntil: 'timestamptz?',
  lastError: 'text?',
  name: 'text?',
  source: 'text?',
  app: 'text?',
  trigger: 'json?',
  timeZone: 'text?',
  payload: 'json?',
  metadata: 'jsonb?',
  policies: 'json?',
  definitionHash: 'text?',
  pausedAt: 'timestamptz?',
  pausedReason: 'text?',
  pausedBy: 'text?',
  revision: 'integer?',
  createdAt: 'timestamptz?',
  updatedAt: 'timestamptz?',
  runCount: 'integer',
  errorCount: 'integer',
  consecutiveFailures: 'integer',
  lastRunAt: 'timestamptz?',
  lastVerdict: 'text?',
};

export const attemptColumns: Columns<ChronisAttempt> = {
  runId: 'bigint',
  jobUid: 'bigint?',
  namespace: 'text',
  jobId: 'text',
  handler: 'text',
  queue: 'text',
  nominalAt: 'timestamptz',
  attempt: 'integer',
  fence: 'integer',
  worker: 'text?',
  outcome: 'text',
  final: 'boolean',
  startedAt: 'timestamptz?',
  finishedAt: 'timestamptz',
  error: 'text?',
  result: 'json?',
};

export const gapColumns: Columns<ChronisGap> = {
  id: 'bigint',
  jobUid: 'bigint',
  namespace: 'text',
  jobId: 'text',
  fromAt: 'timestamptz',
  untilAt: 'timestamptz?',
  verdict: 'text',
  count: 'integer',
  reason: 'text',
};

export const jobStatColumns: Columns<ChronisJobStat> = {
  jobUid: 'bigint',
  runCount: 'bigint',
  errorCount: 'bigint',
  consecutiveFailures: 'integer',
  lastRunAt: 'timestamptz?',
  lastVerdict: 'text?',
  lastError: 'text?',
};

export const workerColumns: Columns<ChronisWorker> = {
  id: 'text',
  name: 'text',
  app: 'text',
  generation: 'integer?',
  host: 'text',
  pid: 'integer',
  version: 'text',
  zoneData: 'text',
  queues: 'text[]',
  handlers: 'text[]',
  startedAt: 'timestamptz',
  leaseUntil: 'timestamptz',
  releasedAt: 'timestamptz?',
  running: 'integer',
};

export const releaseColumns: Columns<ChronisRelease> = {
  generation: 'integer',
  app: 'text',
  setHash: 'text',
  declared: 'text[]',
  firstSeen: 'timestamptz',
};

export const lockColumns: Columns<ChronisLock> = {
  key: 'text',
  owner: 'text?',
  fence: 'bigint',
  expiresAt: 'timestamptz',
};

export const pauseColumns: Columns<ChronisPause> = {
  kind: 'text',
  name: 'text',
  pausedAt: 'timestamptz',
  pausedReason: 'text?',
  pausedBy: 'text?',
};
