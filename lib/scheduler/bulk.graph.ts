import { InvalidOptionError } from '../model/errors.js';
import { cycleAmong } from '../model/step.cycle.js';
import type { ConflictPolicy, NewJob } from '../ports/storage.adapter.js';
import { waitsForJobs } from '../ports/waits.js';
import type { GivenJob } from './create.options.js';
import { refKey } from './job.identity.js';

/** They are written by one transaction. */
const mostTogether = 10_000;

/** Throws InvalidOptionError for a list that cannot be stored as a whole. */
export function assertTogether(items: readonly GivenJob[], onConflict: ConflictPolicy): void {
  if (items.length > mostTogether) {
    throw new InvalidOptionError(
      'items',
      `holds ${items.length} jobs, of which some have "after"; such a list is stored as a whole, and may have ${mostTogether}. Give the others in calls of their own, before.`,
    );
  }
  const policies = new Set(items.map((item) => item?.onConflict ?? onConflict));
  const [policy] = policies;
  if (policies.size > 1 || policy === 'replace') {
    throw new InvalidOptionError(
      'onConflict',
      `must be 'raise' or 'ignore', and the same for all jobs of a list in which one has "after", as that is stored as a whole. Say it once, as an option of createMany().`,
    );
  }
}

/** Throws InvalidOptionError for an id that is there twice, for a parent in another namespace, and for jobs that wait for each other. */
export function assertNoCycle(jobs: readonly NewJob[]): void {
  const ids = new Map<string, string>();
  const places = new Set<string>();
  for (const { namespace, id, newId } of jobs) {
    if (places.has(refKey({ namespace, id }))) {
      throw new InvalidOptionError(
        'id',
        `two jobs of the list have the id "${id}", so what waits for it is not clear. Give one of them another id.`,
      );
    }
    places.add(refKey({ namespace, id }));
    if (!newId) ids.set(id, namespace);
  }
  const steps = jobs.map((job) => {
    const parents = waitsForJobs(job) ? job.trigger.jobs.map((id) => ({ namespace: job.namespace, id })) : [];
    for (const parent of parents) assertSameNamespace(job, parent.id, places, ids);
    return { name: refKey(job), parents: parents.map(refKey).filter((key) => places.has(key)) };
  });
  const cycle = cycleAmong(steps);
  if (cycle === null) return;
  const path = cycle.map((key) => `"${key.slice(key.indexOf('/') + 1)}"`).join(' → ');
  throw new InvalidOptionError(
    'after',
    `these jobs wait for each other: ${path}. Take one of them out of the "after" of the next.`,
  );
}

function assertSameNamespace(
  job: NewJob,
  parent: string,
  places: ReadonlySet<string>,
  ids: ReadonlyMap<string, string>,
): void {
  const other = ids.get(parent);
  if (other === undefined || places.has(refKey({ namespace: job.namespace, id: parent }))) return;
  throw new InvalidOptionError(
    'after',
    `names "${parent}", which this list has in the namespace "${other}", but "${job.id}" is in "${job.namespace}". Jobs wait for jobs of their own namespace.`,
  );
}
