/** The codes of all findings, by topic. docs/reference/doctor.md says what each means. */
export const findingCodes = [
  // The server
  'doctor.server-version',
  'doctor.encoding',
  'doctor.read-only',
  'doctor.session-setting',
  'doctor.statement-timeout',
  'doctor.synchronous-commit',
  'doctor.crash-safety',
  'doctor.autovacuum-off',
  'doctor.connections',
  // Between the application and it
  'doctor.listen',
  'doctor.notify-queue',
  'doctor.clock',
  'doctor.zone-data',
  // The clean-up of the tables
  'doctor.long-transaction',
  'doctor.idle-transaction',
  'doctor.replication-slot',
  'doctor.prepared-transaction',
  'doctor.vacuum-debt',
  'doctor.table-autovacuum',
  // The schema
  'doctor.no-schema',
  'doctor.schema-behind',
  'doctor.schema-ahead',
  'doctor.missing-table',
  'doctor.rights',
  'doctor.row-security',
  'doctor.test-tables',
  'doctor.missing-column',
  'doctor.column-drift',
  'doctor.missing-index',
  'doctor.invalid-index',
  'doctor.index-drift',
  'doctor.foreign-trigger',
  'doctor.foreign-constraint',
  'doctor.unlogged-table',
  'doctor.missing-partition',
  'doctor.default-partition',
  'doctor.claim-plan',
  // The work
  'doctor.no-worker',
  'doctor.lost-worker',
  'doctor.missing-handler',
  'doctor.unserved-queue',
  'doctor.overdue-jobs',
  'doctor.overdue-runs',
  'doctor.orphaned-jobs',
  'doctor.stale-pause',
  'doctor.open-run',
] as const;

/** What a finding is about. @publicApi */
export type FindingCode = (typeof findingCodes)[number];
