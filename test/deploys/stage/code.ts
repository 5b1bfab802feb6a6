import { Injectable, type Type } from '@nestjs/common';
import {
  Cron,
  Interval,
  JobHandler,
  type ChronisModuleOptions,
  type JobOverride,
  type RunContext,
} from '../../../lib/index.js';
import type { Methods } from '../language/release.js';
import type { Schedule } from '../language/schedules.js';
import type { Ticks } from './ticks.js';

/** The code of one role: a class `Jobs` with these methods, as each application has a class of that name. */
export function classOf(
  methods: Methods,
  ticks: Ticks,
  ran: (method: string, context: RunContext) => void,
): Type {
  @Injectable()
  class Jobs {}
  for (const [method, given] of Object.entries(methods)) {
    Object.defineProperty(Jobs.prototype, method, {
      value: (context: RunContext) => ran(method, context),
      configurable: true,
      writable: true,
    });
    const descriptor = Object.getOwnPropertyDescriptor(Jobs.prototype, method)!;
    for (const one of Array.isArray(given) ? given : [given]) {
      const decorate = one === 'handler' ? JobHandler(handlerOf(method)) : decoratorOf(method, one, ticks);
      decorate(Jobs.prototype, method, descriptor);
    }
  }
  return Jobs;
}

/** As a method is called that has no name of its own. */
export function handlerOf(method: string): string {
  return `Jobs.${method}`;
}

/** What the configuration of the process says of its jobs. */
export function overridesOf(methods: Methods, ticks: Ticks): ChronisModuleOptions['overrides'] {
  const overrides: Record<string, JobOverride> = {};
  for (const [method, given] of Object.entries(methods)) {
    for (const one of (Array.isArray(given) ? given : [given]) as (Schedule | 'handler')[]) {
      if (one === 'handler' || one.overridden === undefined) continue;
      const { overridden } = one;
      overrides[one.id ?? method] =
        'kind' in overridden ? { schedule: ticks.scheduleOf(overridden) } : overridden;
    }
  }
  return overrides;
}

function decoratorOf(method: string, { id = method, ...given }: Schedule, ticks: Ticks): MethodDecorator {
  const options = { id, ...given.options };
  const own = ticks.scheduleOf(given);
  if (given.kind === 'interval') return Interval(own, options);
  const { made } = given;
  if (made === undefined) return Cron(own as string, options);
  return Cron({ useFactory: () => (made && (ticks.scheduleOf(made) as string)) as string }, options);
}
