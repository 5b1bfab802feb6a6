import type { JobRef } from '../model/job.js';
import type { JobStore } from '../ports/storage.adapter.js';
import type { Recorded } from './explaining.circumstances.js';

/** Of each kind of record, from the newest back. */
const mostRows = 10_000;
const pageSize = 1_000;

interface Page<T> {
  items: T[];
  cursor: string | null;
}

/** What is on record of the instants from the one to the other, both included. */
export async function readRecord(
  { namespace, id: jobId }: JobRef,
  { from, to }: { from: number; to: number },
  jobs: JobStore,
): Promise<Recorded> {
  const filter = { namespace, jobId };
  const isIn = ({ nominalAt }: { nominalAt: Date }): boolean => {
    const at = nominalAt.getTime();
    return from <= at && at <= to;
  };
  let isEmpty = true;
  let isWhole = true;
  const look = async <T>(
    read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>,
    isIt: (item: T) => boolean,
    isBefore: (item: T) => boolean = () => false,
  ): Promise<T[]> => {
    const found: T[] = [];
    let cursor: string | undefined;
    for (let rows = 0; rows < mostRows;) {
      const page = await read({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
      isEmpty &&= page.items.length === 0;
      found.push(...page.items.filter(isIt));
      const last = page.items.at(-1);
      if (page.cursor === null || last === undefined || isBefore(last)) return found;
      rows += page.items.length;
      ({ cursor } = page);
    }
    isWhole = false;
    return found;
  };
  // No attempt ends before the time that it is for.
  const attempts = await look(
    (page) => jobs.queryAttempts(filter, page),
    isIn,
    ({ finishedAt }) => finishedAt.getTime() < from,
  );
  const runs = await look((page) => jobs.queryRuns(filter, page), isIn);
  const gaps = await look(
    (page) => jobs.queryGaps(filter, page),
    (gap) => gap.from.getTime() <= to && (gap.until === null || from <= gap.until.getTime()),
  );
  return { attempts, runs, gaps, isEmpty, isWhole };
}
