import { InvalidOptionError } from '../model/errors.js';
import { toScope, type PauseScope, type ScopePause, type ScopeRef } from '../model/pause.js';
import type { PauseEndPlans, ScopeResumption, StoredPause } from '../ports/storage.adapter.js';
import type { Calendars } from '../model/trigger.js';
import type { JobAccess } from './job.access.js';
import { namespaceOf } from './job.identity.js';
import { described, knownOptions, lineOfText } from './option.checks.js';
import { pauseKeys, type PauseOptions, type PauseOrders } from './pause.orders.js';
import { planResume } from './resume.plan.js';

const kinds = ['handler', 'queue', 'namespace', 'all'] as const;

/** Pauses of many jobs at once. */
export class Pauses {
  private readonly plan: ScopeResumption;

  constructor(
    calendars: Calendars,
    private readonly orders: PauseOrders,
  ) {
    this.plan = pauseEndPlans(calendars).scope;
  }

  async pause(scope: PauseScope, options: PauseOptions, { jobs, changed }: JobAccess): Promise<ScopePause> {
    const given = knownOptions(options, [...pauseKeys, 'manager'], 'pause()') as PauseOptions;
    const pause = await jobs.pauseScope(scopeRef(scope), await this.orders.of(given, jobs));
    // What this process waits to begin goes back also where nobody tells.
    changed();
    return toScopePause(pause);
  }

  async resume(scope: PauseScope, { jobs, changed }: JobAccess): Promise<boolean> {
    const resumed = await jobs.resumeScope(scopeRef(scope), this.plan);
    if (resumed) changed();
    return resumed;
  }

  async list({ jobs }: JobAccess): Promise<ScopePause[]> {
    return (await jobs.queryPauses()).map(toScopePause);
  }
}

/** Where jobs go on when the pauses of scopes end, and when pauses end by themselves. A job whose times cannot be computed must not keep the others paused: its cursor stays, and the next firing tells what is wrong with it. */
export function pauseEndPlans(calendars: Calendars): PauseEndPlans {
  const plan: ScopeResumption = ({ namespace, ...job }, now) => {
    try {
      return planResume(namespace, job, now, calendars);
    } catch {
      return { nextAt: job.pausedFrom, gap: null };
    }
  };
  return {
    scope: plan,
    job:
      ({ namespace }) =>
      ({ pausedFrom, ...job }, now) =>
        pausedFrom === null
          ? planResume(namespace, { ...job, pausedFrom }, now, calendars)
          : plan({ ...job, namespace, pausedFrom }, now),
  };
}

function scopeRef(scope: unknown): ScopeRef {
  const given = knownOptions(scope, kinds, 'a scope');
  const [kind, ...more] = kinds.filter((name) => given[name] !== undefined);
  if (kind === undefined || more.length > 0) {
    throw new InvalidOptionError(
      'scope',
      `must be one of { handler }, { queue }, { namespace } and { all: true }, but is ${described(scope)}.`,
    );
  }
  const name = given[kind];
  if (kind === 'all') {
    if (name !== true) throw new InvalidOptionError('all', `must be true, but is ${described(name)}.`);
    return { kind, name: '' };
  }
  return { kind, name: kind === 'namespace' ? namespaceOf(name) : lineOfText(name, kind) };
}

export function toScopePause({ kind, name, ...pause }: StoredPause): ScopePause {
  return { scope: toScope({ kind, name }), ...pause };
}
