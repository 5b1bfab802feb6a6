import type { CanActivate, Type } from '@nestjs/common';
import { InvalidOptionError, knownOptions, parseDuration, type DurationInput } from '../index.js';

/** Options of ChronisHealthModule. @publicApi */
export interface ChronisHealthOptions {
  /** How long the loop may stand still, beyond two polls, before the process counts as dead: longer than any call to the storage may take. @default '5m' */
  stuckAfter?: DurationInput;
  /** Whether the process is only ready where its health is `ok`: not for probes that take all instances out at once. @default false */
  strict?: boolean;
}

/** Where it is asked for by routes of this application. @publicApi */
export interface ChronisHealthRoute {
  /** The path of the routes: `path`, `path/live` and `path/ready`; a global prefix of the application stands before it. @default none: there are no routes */
  path?: string;
  /** Whom they let in sees the reasons and the details; everybody else the status alone. @default nobody sees them */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** The ChronisModule that is asked about, by its name. @default the one without a name */
  instance?: string;
}

/** The same, checked. */
export interface HealthSettings {
  stuckAfterMs: number;
  strict: boolean;
}

export const healthKeys = ['stuckAfter', 'strict'] as const;
export const routeKeys = ['path', 'guards', 'instance'] as const;

/** Throws InvalidOptionError and InvalidScheduleError (stuckAfter). */
export function healthSettings(given: ChronisHealthOptions, owner: string): HealthSettings {
  knownOptions(given, healthKeys, owner);
  const { stuckAfter = '5m', strict = false } = given;
  if (typeof strict !== 'boolean') throw new InvalidOptionError('strict', 'must be true or false.');
  return { stuckAfterMs: parseDuration(stuckAfter, 'stuckAfter'), strict };
}

/** Throws InvalidOptionError. */
export function checkedRoute({ path, guards }: ChronisHealthRoute): void {
  if (path !== undefined && (typeof path !== 'string' || path.trim() === ''))
    throw new InvalidOptionError('path', 'must be the path of a route, such as "health".');
  if (guards !== undefined && !Array.isArray(guards))
    throw new InvalidOptionError('guards', 'must be a list of guards: classes or instances.');
  if (guards !== undefined && path === undefined)
    throw new InvalidOptionError(
      'guards',
      'guard what routes show, and there are none: give a "path" as well.',
    );
}
