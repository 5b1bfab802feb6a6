import type { TableName } from '../journal/change.js';

/** Where rows have instants in milliseconds, which a person reads as text. Within what users give nothing is touched. */
const fields: Partial<Record<TableName, readonly string[]>> = {
  about: ['recordAsOf'],
  jobs: [
    'createdAt',
    'updatedAt',
    'orphanedAt',
    'cursorAt',
    'firedUntil',
    'pause.at',
    'pause.until',
    'statistics.lastRunAt',
  ],
  runs: [
    ...['nominalAt', 'dueAt', 'deferredUntil', 'startedAt', 'finishedAt', 'keptUntil'],
    ...['open.since', 'open.deadline'],
  ],
  steps: ['startedAt', 'finishedAt', 'until'],
  signals: ['sentAt'],
  binaries: ['storedAt', 'usedAt'],
  flows: ['nominalAt', 'openedAt', 'endedAt', 'pausedAt'],
  flowSteps: ['releasedAt', 'endedAt'],
  workers: ['startedAt', 'leaseUntil', 'reached'],
  pauses: ['at', 'until'],
  locks: ['expiresAt'],
  audit: ['at'],
  rollups: ['start'],
  overdue: ['dueAt'],
  bulkActions: ['createdAt', 'endedAt', 'leaseUntil'],
};

type Row = Record<string, any>;

/** The row, or each of its list, with text for instants. */
export function withTexts<T extends object>(table: TableName, row: T): T {
  return changed(table, row, (value) => {
    const isExact = Number.isInteger(value) && Math.abs(value as number) <= 8.64e15;
    return isExact ? new Date(value as number).toISOString() : value;
  });
}

/** And back. */
export function withInstants<T extends object>(table: TableName, row: T): T {
  return changed(table, row, (value) => {
    const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(at) ? value : at;
  });
}

function changed<T extends object>(table: TableName, row: T, change: (value: unknown) => unknown): T {
  if (Array.isArray(row)) return row.map((each: object) => changed(table, each, change)) as T;
  const copy: Row = { ...row };
  for (const path of fields[table] ?? []) {
    const [outer, inner] = path.split('.');
    if (inner === undefined) {
      if (outer in copy) copy[outer] = change(copy[outer]);
    } else if (copy[outer]) {
      const part = copy[outer] as Row;
      if (inner in part) copy[outer] = { ...part, [inner]: change(part[inner]) };
    }
  }
  return copy as T;
}
