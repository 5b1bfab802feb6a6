import { InvalidOptionError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { AfterTrigger, Trigger } from '../model/trigger.js';
import type { RunVerdict } from '../model/verdict.js';
import type { NewJob } from './definitions.js';

/** A one-off that is stored without a time, as it waits for the ends of others. */
export type WaitingJob = NewJob & { trigger: AfterTrigger };

export function waitsForJobs(job: { trigger: Trigger }): job is WaitingJob {
  return job.trigger.type === 'after';
}

/** What a job that is to be waited for turned out to be: no one-off, one that has ended so, or none that anybody knows. */
export type UnfitParent = 'recurring' | RunVerdict | 'unknown';

/** Throws InvalidOptionError. */
export function refuseParent(child: JobRef, parent: string, what: UnfitParent): never {
  const named = `names "${parent}", but `;
  if (what === 'recurring') {
    throw new InvalidOptionError(
      'after',
      `${named}that job recurs, and which of its runs "${child.id}" belongs to has no answer. Give what recurs the option "onSuccess", or make both steps of a workflow: @Workflow('…', { cron }).`,
    );
  }
  if (what === 'unknown') {
    throw new InvalidOptionError(
      'after',
      `${named}the namespace "${child.namespace}" has no such job. Create it before "${child.id}", or in the same call of createMany().`,
    );
  }
  const fix = isDeadLetter(what)
    ? `Retry it by retryRun() first, or leave it out.`
    : `Leave it out of "after".`;
  throw new InvalidOptionError('after', `${named}that job has ended already, as ${what}. ${fix}`);
}

/** Whether a one-off that has ended so stays, and may be retried by hand. */
export function isDeadLetter(verdict: RunVerdict): boolean {
  return verdict === 'failed' || verdict === 'timed_out' || verdict === 'lost';
}

/** Those that others of them wait for before these, so that what is locked in the order of ids is locked in that of waiting. There is no cycle. */
export function parentsFirst(jobs: readonly NewJob[]): NewJob[] {
  const places = new Map(jobs.map((job) => [keyOf(job.namespace, job.id), job]));
  const placed = new Set<NewJob>();
  const begun = new Set<NewJob>();
  const stack = jobs.toReversed();
  for (let job = stack.pop(); job !== undefined; job = stack.pop()) {
    if (placed.has(job)) continue;
    const { namespace } = job;
    const missing = (waitsForJobs(job) && !begun.has(job) ? job.trigger.jobs : [])
      .flatMap((id) => places.get(keyOf(namespace, id)) ?? [])
      .filter((parent) => !placed.has(parent));
    begun.add(job);
    if (missing.length === 0) placed.add(job);
    else stack.push(job, ...missing);
  }
  return [...placed];
}

/** How many parents a job has: those that have succeeded, those that have ended otherwise, and how many of these can never be retried. */
export interface WaitCounts {
  parents: number;
  ok: number;
  bad: number;
  gone: number;
}

/** What becomes of a job that waits; null: it waits on. SQL storages mirror it. */
export function fateOf({ need, otherwise }: AfterTrigger, counts: WaitCounts): 'run' | 'cancel' | null {
  const { parents, ok, bad, gone } = counts;
  const needed = need ?? parents;
  if (ok >= needed || (otherwise === 'run' && ok + bad === parents)) return 'run';
  if (otherwise === 'run') return null;
  return parents - (otherwise === 'cancel' ? bad : gone) < needed ? 'cancel' : null;
}

/** The longest list of names in an error. */
const mostNamed = 20;

/** The error of a job that was cancelled because of what it waited for. */
export function unreachable(ended: readonly { id: string; verdict: RunVerdict }[]): string {
  const named = ended.slice(0, mostNamed).map(({ id, verdict }) => `"${id}" (${verdict})`);
  const rest = ended.length > mostNamed ? `, and ${ended.length - mostNamed} more` : '';
  return `Too few of the jobs that it was to come after can still succeed: ${named.join(', ')}${rest}.`;
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}\0${id}`;
}
