import type { NewJob } from '../ports/storage.adapter.js';
import { documentSeparator } from './sql/given.jobs.fragment.js';

const kindKeys = ['namespace', 'name', 'source', 'app', 'handler', 'queue', 'priority', 'timeZone'] as const;

/** What jobs in a row have in common, who differ in their ids, triggers, payloads and times. */
interface Kind {
  job: NewJob;
  metadata: string;
  policies: string;
}

/**
 * What `givenJobs` takes of many jobs. In the text form of arrays, since pg would treat each element on its own, by several regular expressions; and what a
 * job has in common with the one before it is not said again.
 */
export function jobColumns(jobs: readonly NewJob[]): unknown[] {
  return columnsAndKinds(jobs).columns;
}

/** The same, then the origin, and the traces of what several have in common. */
export function tracedJobColumns(jobs: readonly NewJob[], origin: 'at' | 'callback'): unknown[] {
  const { columns, kinds } = columnsAndKinds(jobs);
  return [...columns, origin, kinds.map(({ job }) => job.trace ?? null)];
}

function columnsAndKinds(jobs: readonly NewJob[]): { columns: unknown[]; kinds: readonly Kind[] } {
  const kinds: Kind[] = [];
  const ids: string[] = [];
  const which: number[] = [];
  const triggers: string[] = [];
  const payloads: string[] = [];
  const times: (number | null)[] = [];
  let kind: Kind | null = null;
  for (const job of jobs) {
    const metadata = JSON.stringify(job.metadata);
    const policies = JSON.stringify(job.policies);
    if (
      kind === null ||
      kind.metadata !== metadata ||
      kind.policies !== policies ||
      !isAlike(kind.job, job)
    ) {
      kinds.push((kind = { job, metadata, policies }));
    }
    which.push(kinds.length);
    ids.push(job.id);
    triggers.push(JSON.stringify(job.trigger));
    payloads.push(JSON.stringify(job.payload));
    times.push(job.nextAt);
  }
  const columns = [
    ...columnsOf(kinds),
    textArray(ids),
    `{${which.join()}}`,
    triggers.join(documentSeparator),
    payloads.join(documentSeparator),
    // Text has no null that each session reads as that.
    times.includes(null) ? times : `{${times.join()}}`,
  ];
  return { columns, kinds };
}

/** The columns of one job, in the same order, as values instead of arrays. */
export function oneJobColumns(job: NewJob): unknown[] {
  return [
    ...kindKeys.map((key) => job[key]),
    JSON.stringify(job.metadata),
    JSON.stringify(job.policies),
    job.definitionHash,
    job.id,
    JSON.stringify(job.trigger),
    JSON.stringify(job.payload),
    job.nextAt,
  ];
}

function columnsOf(kinds: readonly Kind[]): unknown[][] {
  return [
    ...kindKeys.map((key) => kinds.map(({ job }) => job[key])),
    kinds.map(({ metadata }) => metadata),
    kinds.map(({ policies }) => policies),
    kinds.map(({ job }) => job.definitionHash),
  ];
}

function isAlike(one: NewJob, other: NewJob): boolean {
  return (
    one.namespace === other.namespace &&
    one.name === other.name &&
    one.source === other.source &&
    one.app === other.app &&
    one.handler === other.handler &&
    one.queue === other.queue &&
    one.priority === other.priority &&
    one.timeZone === other.timeZone &&
    one.definitionHash === other.definitionHash &&
    one.trace === other.trace
  );
}

/** The text form of a text[]. */
function textArray(texts: readonly string[]): string {
  if (texts.length === 0) return '{}';
  // Ids that we make hold neither.
  const plain = /["\\]/.test(texts.join('')) ? texts.map((text) => text.replace(/["\\]/g, '\\$&')) : texts;
  return `{"${plain.join('","')}"}`;
}
