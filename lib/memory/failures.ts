import type { FailureGroup, FailureReport } from '../model/failure.js';
import type { FailureVerdict } from '../model/verdict.js';
import { mostFailures, type FailureFilter } from '../ports/storage.adapter.js';
import { is } from './filtering.js';
import type { LedgerRow, MemoryTables } from './tables.js';

type FailedRow = LedgerRow & { fingerprint: string };

export function queryFailures({ ledger }: MemoryTables, filter: FailureFilter, limit: number): FailureReport {
  const ofFilter = ledger.filter(
    (row): row is FailedRow =>
      row.fingerprint !== null && is(row.namespace, filter.namespace) && is(row.handler, filter.handler),
  );
  const rows = ofFilter
    .filter(({ finishedAt }) => finishedAt >= filter.from && finishedAt < filter.until)
    .toSorted((a, b) => b.finishedAt.getTime() - a.finishedAt.getTime() || b.sequence - a.sequence);
  const counted = rows.slice(0, mostFailures);
  const { newSince } = filter;
  const known = new Set(newSince && ofFilter.filter(({ finishedAt }) => finishedAt < newSince).map(kindOf));
  const groups = new Map<string, FailedRow[]>();
  for (const row of counted) {
    const kind = kindOf(row);
    if (known.has(kind)) continue;
    const group = groups.get(kind);
    if (group) group.push(row);
    else groups.set(kind, [row]);
  }
  return {
    items: [...groups.values()].slice(0, limit).map(toGroup),
    countedFrom: counted.length < mostFailures ? null : counted.at(-1)!.finishedAt,
  };
}

/** No name has a line break. */
const kindOf = ({ fingerprint, handler }: FailedRow): string => `${fingerprint}\n${handler}`;

/** `rows`: the newest first. */
function toGroup(rows: readonly FailedRow[]): FailureGroup {
  const [newest] = rows as [FailedRow];
  const { fingerprint, handler, runId, jobId, namespace, queue, attempt, finishedAt, error } = newest;
  return {
    fingerprint,
    handler,
    attempts: rows.length,
    runs: new Set(rows.map((row) => row.runId)).size,
    gaveUp: rows.filter(({ final }) => final).length,
    firstAt: rows.at(-1)!.finishedAt,
    lastAt: finishedAt,
    sample: {
      ...{ runId, jobId, namespace, queue, attempt },
      outcome: newest.outcome as FailureVerdict,
      ...{ finishedAt, error },
    },
  };
}
