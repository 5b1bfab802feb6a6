import type { DeclaredJob } from '../../../lib/discovery/declared.job.js';
import {
  isEnabled,
  readSchedule,
  type ScheduleDeclaration,
} from '../../../lib/discovery/declaration.reader.js';
import type { JobOptions } from '../../../lib/index.js';

/** Where a process of the application stands: each role has modules of its own. */
export type Role = 'web' | 'worker';
export const roles: readonly Role[] = ['web', 'worker'];

/** A method with its decorators, as one release has it. */
export interface Scheduled {
  /** What it is to the people who wrote it, under whatever ids and names of methods. */
  line: string;
  /** The name of its handler. */
  method: string;
  id: string;
  schedule: { cron: string } | { everyMs: number };
  options: Pick<JobOptions, 'payload' | 'overlap' | 'misfire'>;
  previousIds: readonly string[];
  roles: readonly Role[];
  /** By configuration: nothing is declared. */
  disabled: boolean;
  /** It is a handler by another decorator as well, so also where it is disabled. */
  isHandler: boolean;
}

export interface Release {
  name: string;
  methods: readonly Scheduled[];
}

const defaults = { timeZone: 'UTC', payloadLimit: 1_000_000, calendars: {} };

/** What a process of this role declares. */
export function declaredBy({ methods }: Release, role: Role): Scheduled[] {
  return methods.filter((method) => !method.disabled && method.roles.includes(role));
}

/** What it can execute. */
export function handlersOf({ methods }: Release, role: Role): string[] {
  const own = methods.filter((each) => each.roles.includes(role) && (!each.disabled || each.isHandler));
  return own.map(({ method }) => method);
}

/** As the explorer of an application reads it. */
export function readDeclarations(release: Release, role: Role, now: number): DeclaredJob[] {
  const jobs: DeclaredJob[] = [];
  for (const scheduled of release.methods) {
    const declaration = decoratorOf(scheduled);
    if (!scheduled.roles.includes(role) || !isEnabled(declaration)) continue;
    const { method } = scheduled;
    jobs.push(
      readSchedule(declaration, { defaultId: method, handler: method, place: method }, defaults, now),
    );
  }
  return jobs;
}

function decoratorOf({ id, schedule, options, previousIds, disabled }: Scheduled): ScheduleDeclaration {
  const all = { ...options, id, previousIds: [...previousIds], disabled };
  return 'cron' in schedule
    ? { kind: 'cron', schedule: schedule.cron, options: all }
    : { kind: 'interval', every: schedule.everyMs, options: all };
}

/** All ids that a line ever has begin with it. */
export function lineOf(jobId: string): string {
  return jobId.split('-')[0]!;
}
