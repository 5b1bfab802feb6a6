import { InvalidOptionError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';

/** Which of the events are meant; all conditions must hold, of a list one value. @publicApi */
export interface EventFilter {
  handler?: string | readonly string[];
  queue?: string | readonly string[];
  namespace?: string | readonly string[];
  jobId?: string | readonly string[];
}

type Condition = keyof EventFilter;
const conditions = ['handler', 'queue', 'namespace', 'jobId'] as const satisfies readonly Condition[];

/** Those that are about a job, and say nothing of a run. */
const aboutJobs: Record<EventAboutJob, true> = {
  'job.held-up': true,
  'job.orphaned': true,
  'job.overdue': true,
  'job.overdue.ended': true,
  'job.paused': true,
  'gap.recorded': true,
  'schedule.failed': true,
};
type EventAboutJob = {
  [N in ChronisEventName]: ChronisEventMap[N] extends JobRef ? N : never;
}[ChronisEventName];

function conditionsOf(name: ChronisEventName): readonly Condition[] {
  if (name.startsWith('run.') || name === 'retry-rule.failed') return conditions;
  if (name in aboutJobs) return ['namespace', 'jobId'];
  if (name === 'runs.deferred') return ['handler', 'queue'];
  return name === 'jobs.unserved' ? ['queue'] : [];
}

/** Tells which events of these names are meant. Throws InvalidOptionError for a condition that one of them can never meet. @publicApi */
export function eventFilter(
  filter: EventFilter,
  names: readonly ChronisEventName[],
): (event: object) => boolean {
  const wanted: [field: string, values: ReadonlySet<unknown>][] = [];
  for (const condition of conditions) {
    const given = filter[condition];
    if (given === undefined) continue;
    const values: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (values.length === 0 || values.some((value) => typeof value !== 'string')) {
      throw new InvalidOptionError(condition, 'must be a text, or a list of at least one.');
    }
    const without = names.find((name) => !conditionsOf(name).includes(condition));
    if (without !== undefined) {
      throw new InvalidOptionError(
        condition,
        `the event "${without}" has none. Leave the condition, or the event, out.`,
      );
    }
    wanted.push([condition, new Set(values)]);
  }
  return (event) => wanted.every(([field, values]) => values.has(valueOf(event, field)));
}

/** Events about a job call its id so. */
function valueOf(event: object, field: string): unknown {
  const fields = event as Record<string, unknown>;
  return field === 'jobId' ? (fields.jobId ?? fields.id) : fields[field];
}
