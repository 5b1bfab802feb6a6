import type { ModulesContainer } from '@nestjs/core';
import { InvalidOptionError, readsSchedules } from '../index.js';
import { SCHEDULE_MODULE_OPTIONS } from './schedule.constants.js';
import type { ScheduleModuleOptions } from './schedule.options.js';

type ModuleOf = ModulesContainer extends Map<string, infer M> ? M : never;
type Switch = 'cronJobs' | 'intervals' | 'timeouts';

/** A method that is scheduled here, and the option by which a ScheduleModule leaves out its kind. */
export interface Taken {
  place: string;
  by: Switch;
}

/**
 * The original, which a library may import by itself, reads the same metadata, so each method would run here and there, and nobody would be told. Throws InvalidOptionError. `reader`:
 * the class that reads them here.
 */
export function assertReadOnce(modules: ModulesContainer, reader: unknown, taken: readonly Taken[]): void {
  for (const other of modules.values()) {
    if (![...other.providers.keys()].some((token) => token !== reader && readsSchedules(token))) continue;
    const options = other.providers.get(SCHEDULE_MODULE_OPTIONS)?.instance as
      | ScheduleModuleOptions
      | undefined;
    const places = new Set(taken.filter(({ by }) => options?.[by] !== false).map(({ place }) => place));
    if (places.size === 0) continue;
    throw new InvalidOptionError(
      'imports',
      `${listed([...places])} would run twice: ${importerOf(other, modules)} imports another ScheduleModule, that of @nestjs/schedule, which schedules all methods that the one of nestjs-chronis/schedule does. Take that import away. If a library needs it, import ChronisModule.forRoot() instead of the ScheduleModule of nestjs-chronis/schedule, and the decorators from nestjs-chronis: what is decorated with those of @nestjs/schedule is then left to it.`,
    );
  }
}

/** `a, b and c`. */
export function listed(places: readonly string[]): string {
  return places.length < 2 ? places.join() : `${places.slice(0, -1).join(', ')} and ${places.at(-1)}`;
}

/** Nest adds the global modules to the imports of each module, its own core first, after those that the module has itself. */
function importerOf(module: ModuleOf, modules: ModulesContainer): string {
  for (const { imports, name } of modules.values()) {
    for (const imported of imports) {
      if (imported.name === 'InternalCoreModule') break;
      if (imported === module) return name;
    }
  }
  return 'a module';
}
