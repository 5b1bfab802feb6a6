import { InvalidOptionError } from '../model/errors.js';
import type { Pause } from '../model/job.js';
import type { PauseScope, ScopePause, ScopeRef } from '../model/pause.js';
import type { ScopeResumption, StoredPause } from '../ports/storage.adapter.js';
import type { Calendars } from '../model/trigger.js';
import type { JobAccess } from './job.access.js';
import { namespaceOf } from './job.identity.js';
import { described, knownOptions, lineOfText } from './option.checks.js';
import { planResume } from './resume.plan.js';

/** Why, and who. @publicApi */
export interface PauseOptions {
  /** One line, at most 500 characters. */
  reason?: string;
  by?: string;
}

export const pauseKeys = ['reason', 'by'] satisfies (keyof PauseOptions)[];
const kinds = ['handler', 'queue', 'namespace', 'all'] as const;

/** Pauses of many jobs at once. */
export class Pauses {
  constructor(private readonly calendars: Calendars) {}

  async pause(scope: PauseScope, options: PauseOptions, { jobs, changed }: JobAccess): Promise<ScopePause> {
    const given = knownOptions(options, [...pauseKeys, 'manager'], 'pause()') as PauseOptions;
    const pause = await jobs.pauseScope(scopeRef(scope), pauseOf(given));
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

  /** A job whose times cannot be computed must not keep the others paused: its cursor stays, and the next firing tells what is wrong with it. */
  private readonly plan: ScopeResumption = ({ namespace, ...job }, now) => {
    try {
      return planResume(namespace, job, now, this.calendars);
    } catch {
      return { nextAt: job.pausedFrom, gap: null };
    }
  };
}

/** What is told of a pause, validated. */
export function pauseOf({ reason, by }: PauseOptions): Pick<Pause, 'reason' | 'by'> {
  return {
    reason: reason === undefined ? null : lineOfText(reason, 'reason', 500),
    by: by === undefined ? null : lineOfText(by, 'by'),
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

export function toScope({ kind, name }: ScopeRef): PauseScope {
  return kind === 'all' ? { all: true } : ({ [kind]: name } as PauseScope);
}
