import type { ChronisOptions } from './chronis.options.js';
import { settingsOf, type ChronisSettings } from './chronis.settings.js';
import { GuardedClock } from './engine/guarded.clock.js';
import type { ChronisEvents } from './events/chronis.events.js';

/**
 * Stands between the options of the module and what is built from them, where a global module provides it: for tests of an application
 * that brings its own `ChronisModule.forRoot(…)`. `ChronisTesting` of `nestjs-chronis/testing` is one. @publicApi
 */
export abstract class ChronisOverride {
  /** Called with the options of an instance as they were given, which are valid; returns those in force. */
  abstract options(given: ChronisOptions, instance: string): ChronisOptions;
  /** Called with the events of each instance, before anything has happened. */
  abstract observe(events: ChronisEvents): void;
}

/** A process without others: nobody's lease to watch, nobody's changes to look for, nothing to clean up after. */
const century = 36_525 * 86_400_000;
const alone = { leaseMs: century, pollMs: century, janitorMs: century, maxBlockedMs: 0 };

/**
 * What is provided as an override. Others are mocks of it: Nest's `useMocker()` is asked for whatever nobody provides, optional or not, and mocks that class as well.
 */
export function overrideIn(given: unknown): ChronisOverride | undefined {
  const isOne = given instanceof ChronisOverride && typeof given.options === 'function';
  return isOne ? given : undefined;
}

/** The settings; under an override this process has the storage to itself, and only what is due wakes it. */
export function settingsUnder(
  given: ChronisOptions,
  instance: string,
  override?: ChronisOverride,
): ChronisSettings {
  const settings = settingsOf(given);
  const real = overrideIn(override);
  if (!real) return guarded(settings);
  const { engine, ...rest } = settingsOf(real.options(given, instance));
  return guarded({ ...rest, engine: { ...engine, ...alone }, isTest: true });
}

/** All that goes by the clock is held by the same guard: one that throws must not end what waits by it, wherever that is. */
function guarded({ clock, ...settings }: ChronisSettings): ChronisSettings {
  return { ...settings, clock: new GuardedClock(clock) };
}
