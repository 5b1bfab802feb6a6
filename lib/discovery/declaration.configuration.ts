import { isScheduleFactory, type ScheduleFactory } from '../decorators/schedule.factory.js';
import { messageOf } from '../events/shown.error.js';
import { InvalidOptionError } from '../model/errors.js';
import type { JobOverride } from '../model/job.options.js';
import { nearestName } from '../model/nearest.name.js';
import { meantOption } from '../scheduler/meant.option.js';
import { described, knownOptions } from '../scheduler/option.checks.js';
import type { ScheduleDeclaration, SchedulingDeclaration } from './declaration.reader.js';
import type { DeclaringProvider } from './declaring.provider.js';

/** Overrides by the id of the job. */
export type JobOverrides = Readonly<Record<string, JobOverride>>;

const neverOverridden = ['id', 'namespace', 'previousIds', 'useEnhancers', 'instance', 'retryIf'];
const shownIds = 10;

/** What the configuration makes of declarations: schedules from factories, options by the id of the job. */
export class DeclarationConfiguration {
  private readonly seen = new Set<string>();

  constructor(private readonly overrides: JobOverrides) {}

  /** The declaration with the options in force. Throws InvalidOptionError. */
  configured(given: SchedulingDeclaration, defaultId: string): SchedulingDeclaration {
    // What is no object is refused where the options are read.
    const options = given.options as { id?: string } | null;
    const override = this.overrideOf(options?.id ?? defaultId);
    if (Object.keys(override).length === 0) return given;
    const { schedule, ...others } = override;
    return withSchedule({ ...given, options: { ...options, ...others } } as never, schedule);
  }

  /** What is said of a declared job instead of its own options; empty: nothing. Throws InvalidOptionError. */
  overrideOf(id: string): JobOverride {
    this.seen.add(id);
    return Object.hasOwn(this.overrides, id) ? checked(id, this.overrides[id]!) : {};
  }

  /** Throws InvalidOptionError when an override is for a job that nothing in the code declares. */
  assertAllUsed(): void {
    const unknown = Object.keys(this.overrides).find((id) => !this.seen.has(id));
    if (unknown === undefined) return;
    const meant = nearestName(unknown, this.seen);
    const ids = [...this.seen].map((id) => `"${id}"`);
    const shown = ids.length > shownIds ? [...ids.slice(0, shownIds), '…'] : ids;
    throw new InvalidOptionError(
      'overrides',
      `nothing in the code declares the job "${unknown}". ${meant === null ? `Declared are: ${shown.join(', ') || 'none'}.` : `Did you mean "${meant}"?`}`,
    );
  }
}

/** The declaration with its schedule made; null: its factory wants none. Throws InvalidOptionError and what the factory throws. */
export function scheduleMade(
  given: SchedulingDeclaration,
  provider: DeclaringProvider,
): ScheduleDeclaration | null {
  const own = ownSchedule(given);
  if (!isScheduleFactory<unknown>(own)) return given as ScheduleDeclaration;
  const schedule = made(own, provider);
  return schedule === null ? null : (withSchedule(given, schedule) as ScheduleDeclaration);
}

/** Whether its schedule is one that a factory makes, when all providers exist. */
export function hasScheduleFactory(given: SchedulingDeclaration): boolean {
  return isScheduleFactory<unknown>(ownSchedule(given));
}

function ownSchedule(given: SchedulingDeclaration): unknown {
  return given.kind === 'cron' ? given.schedule : given.kind === 'interval' ? given.every : given.at;
}

function withSchedule(given: SchedulingDeclaration, schedule: unknown): SchedulingDeclaration {
  if (schedule === undefined) return given;
  const key = ({ cron: 'schedule', interval: 'every', at: 'at' } as const)[given.kind];
  return { ...given, [key]: schedule } as SchedulingDeclaration;
}

/** Without what is undefined: so an environment variable that is not set overrides nothing. */
function checked(id: string, given: JobOverride): JobOverride {
  const option = `overrides["${id}"]`;
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError(option, `must be an object, but is ${described(given)}.`);
  }
  for (const key of neverOverridden) {
    if (key in given) throw new InvalidOptionError(option, `${key} cannot be overridden.`);
  }
  // Unlike all others this is no option of the decorator, which would find the one that was meant.
  const misspelt = Object.keys(given).find((key) => key !== 'schedule' && meantOption(key, ['schedule']));
  if (misspelt !== undefined) {
    throw new InvalidOptionError(option, `there is no option "${misspelt}". Did you mean "schedule"?`);
  }
  if (typeof given.backoff === 'function') {
    throw new InvalidOptionError(option, 'backoff must be data; a function belongs to the decorator.');
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function made(factory: ScheduleFactory<unknown>, provider: DeclaringProvider): unknown {
  const { useFactory, inject = [] } = knownOptions(
    factory,
    ['useFactory', 'inject'],
    'a schedule with useFactory',
  ) as unknown as ScheduleFactory<unknown>;
  if (typeof useFactory !== 'function') {
    throw new InvalidOptionError('useFactory', `must be a function, but is ${described(useFactory)}.`);
  }
  const value = valueOf(
    useFactory,
    inject.map((token) => provider.look(token)),
  );
  if (value === undefined) {
    throw new InvalidOptionError('useFactory', 'has returned undefined. Return null for no schedule.');
  }
  if (value instanceof Promise) {
    value.catch(() => undefined);
    throw new InvalidOptionError('useFactory', 'has returned a promise. Schedules must be known at once.');
  }
  return value;
}

/** What it throws names the decorator as well, so it becomes an error of ours. */
function valueOf(useFactory: (...dependencies: unknown[]) => unknown, dependencies: unknown[]): unknown {
  try {
    return useFactory(...dependencies);
  } catch (cause) {
    const problem = `has thrown: ${messageOf(cause)}`;
    throw Object.assign(new InvalidOptionError('useFactory', problem), { cause });
  }
}
