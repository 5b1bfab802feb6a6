import { createHash } from 'node:crypto';
import { InvalidOptionError } from '../../model/errors.js';
import { shown } from '../../triggers/refuse.js';

export const allTables = [
  'job',
  'cursor',
  'run',
  'run_signal',
  'run_step',
  'run_wait',
  'definition',
  'binary',
  'flow',
  'flow_step',
  'flow_edge',
  'definition_history',
  'flow_history',
  'flow_step_history',
  'flow_edge_history',
  'job_stat',
  'attempt',
  'gap',
  'stat_minute',
  'stat_hour',
  'stat_day',
  'pause',
  'pause_end',
  'audit',
  'run_log',
  'run_progress',
  'overdue',
  'bulk_action',
  'worker',
  'release',
  'lock',
  'meta',
] as const;

export type TableName = (typeof allTables)[number];

/** Every name that may be spliced into a statement, quoted. Nothing else ever is: values are parameters. */
export interface TableNames extends Readonly<Record<TableName, string>> {
  /** As given, for catalogue queries. */
  readonly schemaText: string;
  readonly prefix: string;
  readonly schema: string;
  /** Where wake signals of these tables go; null: none are sent. */
  readonly channel: string | null;
  /** Quoted, without schema: for indexes, which live beside their table. */
  index(name: string): string;
  /** Quoted, with schema: for partitions. */
  qualified(name: string): string;
}

// PostgreSQL cuts names at 63 bytes; the longest we append has less than 32.
const longestPrefix = 24;
const identifier = /^[a-z_][a-z0-9_]*$/i;

/** Throws InvalidOptionError (schema, tablePrefix). */
export function tableNames(schema: string, prefix: string, notify = false): TableNames {
  if (!identifier.test(schema) || schema.length > 48 || /^pg_/i.test(schema)) {
    throw new InvalidOptionError(
      'schema',
      `"${shown(schema)}" cannot be used as a schema name: give letters, digits and underscores, at most 48, not beginning with a digit or "pg_".`,
    );
  }
  if (prefix !== '' && (!identifier.test(prefix) || prefix.length > longestPrefix)) {
    throw new InvalidOptionError(
      'tablePrefix',
      `"${shown(prefix)}" cannot be used as a table prefix: give letters, digits and underscores, at most ${longestPrefix}, not beginning with a digit.`,
    );
  }
  const index = (name: string): string => `"${prefix}${name}"`;
  const qualified = (name: string): string => `"${schema}".${index(name)}`;
  return {
    ...(Object.fromEntries(allTables.map((name) => [name, qualified(name)])) as Record<TableName, string>),
    schemaText: schema,
    prefix,
    schema: `"${schema}"`,
    channel: notify ? channelName(schema, prefix) : null,
    index,
    qualified,
  };
}

/** At most 63 bytes, whatever the names are. */
function channelName(schema: string, prefix: string): string {
  return `chronis_${createHash('sha256').update(`${schema}.${prefix}`).digest('hex').slice(0, 24)}`;
}
