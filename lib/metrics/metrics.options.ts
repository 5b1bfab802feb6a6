import type { CanActivate, Type } from '@nestjs/common';
import { InvalidOptionError, knownOptions, parseDuration, type DurationInput } from '../index.js';

/** What is needed of a Registry of prom-client. @publicApi */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getSingleMetric(name: string): object | undefined;
  registerMetric(metric: any): void;
}

/** Options of ChronisMetricsModule. @publicApi */
export interface ChronisMetricsOptions {
  /** The registry of prom-client that the metrics go to, such as the application's `register`. @default one of their own, see `ChronisMetrics.registry` */
  registry?: MetricsRegistry;
  /** What all names begin with. @default 'chronis_' */
  prefix?: string;
  /** Whether there are series of jobs: those that the code declares, and those whose metadata have `metrics: true`. @default true */
  jobs?: boolean;
  /** Of so many jobs there are series of their own, 1 to 500; the others are one job `_other`. @default 500 */
  mostJobs?: number;
  /** How long after its time a job counts as overdue that has no `lateAfter` of its own. @default '1m' */
  lateAfter?: DurationInput;
}

/** Where the metrics are read by a route of this application. @publicApi */
export interface ChronisMetricsRoute {
  /** The path of the route, such as `'metrics'`; a global prefix of the application stands before it. @default none: there is no route */
  path?: string;
  /** Who may read: classes, made by the injector where they are provided, or instances. @default everybody who reaches the route */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** The ChronisModule that is measured, by its name. @default the one without a name */
  instance?: string;
}

/** The same, checked. */
export interface MetricsSettings {
  registry: MetricsRegistry | null;
  prefix: string;
  jobs: boolean;
  mostJobs: number;
  lateAfterMs: number;
}

export const metricsKeys = ['registry', 'prefix', 'jobs', 'mostJobs', 'lateAfter'] as const;
export const routeKeys = ['path', 'guards', 'instance'] as const;
const seriesOfJobs = 500;

/** Throws InvalidOptionError and InvalidScheduleError (lateAfter). */
export function metricsSettings(given: ChronisMetricsOptions, owner: string): MetricsSettings {
  knownOptions(given, metricsKeys, owner);
  const { registry, prefix = 'chronis_', jobs = true, mostJobs = seriesOfJobs, lateAfter = '1m' } = given;
  if (registry !== undefined && typeof (registry as Partial<MetricsRegistry>)?.getSingleMetric !== 'function')
    throw new InvalidOptionError('registry', 'must be a Registry of prom-client, such as its "register".');
  if (typeof prefix !== 'string' || !/^[a-zA-Z_:][\w:]*$/.test(prefix))
    throw new InvalidOptionError(
      'prefix',
      'must be text that names of metrics may begin with: letters, digits, _ and :.',
    );
  if (typeof jobs !== 'boolean') throw new InvalidOptionError('jobs', 'must be true or false.');
  if (!(Number.isInteger(mostJobs) && mostJobs >= 1 && mostJobs <= seriesOfJobs))
    throw new InvalidOptionError(
      'mostJobs',
      `must be a whole number from 1 to ${seriesOfJobs}, but is ${String(mostJobs)}.`,
    );
  return {
    registry: registry ?? null,
    prefix,
    jobs,
    mostJobs,
    lateAfterMs: parseDuration(lateAfter, 'lateAfter'),
  };
}

/** Throws InvalidOptionError. */
export function checkedRoute({ path, guards }: ChronisMetricsRoute): void {
  if (path !== undefined && (typeof path !== 'string' || path.trim() === ''))
    throw new InvalidOptionError('path', 'must be the path of a route, such as "metrics".');
  if (guards !== undefined && !Array.isArray(guards))
    throw new InvalidOptionError('guards', 'must be a list of guards: classes or instances.');
  if (guards !== undefined && path === undefined)
    throw new InvalidOptionError('guards', 'guard a route, and there is none: give a "path" as well.');
}
