import type { JsonValue } from '../model/json.js';
import type { NewJob } from '../ports/storage.adapter.js';
import { documentSeparator } from './sql/given.jobs.fragment.js';

/** The keys of what jobs that are created together mostly have in common, in the order in which statements take them. */
const plainKeys = [
  'namespace',
  'name',
  'source',
  'app',
  'handler',
  'queue',
  'priority',
  'timeZone',
] as const satisfies readonly (keyof NewJob)[];

/**
 * What `givenJobs` takes of many jobs. In the text form of arrays, since pg would treat each element on its own, by several regular expressions; and what a
 * job has in common with the one before it is not said again.
 */
export function jobColumns(jobs: readonly NewJob[]): unknown[] {
  const kinds = new Kinds();
  const [ids, triggers, payloads] = [jobs.map(({ id }) => id), [] as string[], [] as string[]];
  let [which, times] = ['', ''];
  for (const job of jobs) {
    triggers.push(JSON.stringify(job.trigger));
    payloads.push(jsonText(job.payload));
    which += `${which === '' ? '' : ','}${kinds.numberOf(job)}`;
    times += `${times === '' ? '' : ','}${job.nextAt ?? 'NULL'}`;
  }
  const documents = [triggers, payloads].map((texts) => texts.join(documentSeparator));
  return [...kinds.columns, textArray(ids), `{${which}}`, ...documents, `{${times}}`];
}

/** Jobs in a row that differ in their ids, triggers, payloads and times alone. */
class Kinds {
  private readonly jobs: NewJob[] = [];
  private readonly metadata: string[] = [];
  private readonly policies: string[] = [];

  /** Counted from 1. */
  numberOf(job: NewJob): number {
    const last = this.jobs.length - 1;
    const [metadata, policies] = [jsonText(job.metadata), jsonText(job.policies as JsonValue)];
    const isLast =
      metadata === this.metadata[last] && policies === this.policies[last] && isAlike(job, this.jobs[last]!);
    if (isLast) return last + 1;
    this.metadata.push(metadata);
    this.policies.push(policies);
    return this.jobs.push(job);
  }

  get columns(): unknown[][] {
    const plain = plainKeys.map((key) => this.jobs.map((job) => job[key]));
    const hashes = this.jobs.map(({ definitionHash }) => definitionHash);
    return [...plain, this.metadata, this.policies, hashes];
  }
}

function isAlike(one: NewJob, other: NewJob): boolean {
  return plainKeys.every((key) => one[key] === other[key]) && one.definitionHash === other.definitionHash;
}

/** An empty object is what most jobs have. */
function jsonText(json: JsonValue): string {
  if (json === null) return 'null';
  if (typeof json !== 'object' || Array.isArray(json)) return JSON.stringify(json);
  for (const _ in json) return JSON.stringify(json);
  return '{}';
}

/** The text form of a text[]. */
function textArray(texts: readonly string[]): string {
  if (texts.length === 0) return '{}';
  const plain = texts.join('","');
  // Ids that we make hold neither.
  const quoted = /["\\]/.test(texts.join(''))
    ? texts.map((text) => text.replace(/["\\]/g, '\\$&')).join('","')
    : plain;
  return `{"${quoted}"}`;
}
