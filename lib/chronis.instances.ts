import { Inject, type FactoryProvider, type InjectionToken, type Provider } from '@nestjs/common';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';
import { defaultInstance } from './discovery/instance.names.js';
import { JobDeclarations } from './discovery/job.declarations.js';
import { DefinitionService } from './definitions/definition.service.js';
import { InvalidOptionError } from './model/errors.js';
import { Clock } from './ports/clock.js';
import { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';
import { Tracing } from './engine/tracing.js';
import { Redactor } from './events/redactor.js';
import { ChronisEvents } from './events/chronis.events.js';
import { SchedulerService } from './scheduler/scheduler.service.js';
import { WorkflowService } from './workflows/workflow.service.js';

type ModuleOf = ModulesContainer extends Map<string, infer M> ? M : never;

/** The token of the name of an instance, in its own module. */
export const chronisInstance = Symbol.for('nestjs-chronis.instance');

/** What users inject. In an instance with a name each has another token, or it would stand for that of the default instance. */
export const publicParts = [
  SchedulerService,
  DefinitionService,
  WorkflowService,
  JobDeclarations,
  ChronisEvents,
  StorageAdapter,
  LockAdapter,
  Clock,
  Redactor,
  Tracing,
] as const satisfies InjectionToken[];

/** Not by the names of the classes: minifiers make these equal. */
const partNames: ReadonlyMap<InjectionToken, string> = new Map(
  Object.entries({
    SchedulerService,
    DefinitionService,
    WorkflowService,
    JobDeclarations,
    ChronisEvents,
    StorageAdapter,
    LockAdapter,
    Clock,
    Redactor,
    Tracing,
  }).map(([name, part]) => [part, name] as const),
);

/** The token of a part in an instance. */
export function tokenIn(instance: string, part: InjectionToken): InjectionToken {
  const name = instance === defaultInstance ? undefined : partNames.get(part);
  return name === undefined ? part : `${name} of ${instance}`;
}

/** The same provider in an instance. */
export function providerIn(
  instance: string,
  { provide, inject = [], useFactory }: FactoryProvider,
): Provider {
  const tokens = inject.map((given) =>
    typeof given === 'object' && 'token' in given ? given : tokenIn(instance, given),
  );
  return { provide: tokenIn(instance, provide), inject: tokens, useFactory };
}

/**
 * Throws InvalidOptionError where the application has no scheduler: what `module` is imported for would never happen, and nothing else would tell. `imports`: how it is
 * imported, for the message.
 */
export function assertRoot(modules: ModulesContainer, module: unknown, imports: string): void {
  const all = [...modules.values()];
  if (all.some(({ providers }) => providers.has(chronisInstance))) return;
  const importing = all.filter((each) => [...each.imports].some(({ metatype }) => metatype === module));
  const who = importing[0]?.name ?? 'a module';
  throw new InvalidOptionError(
    'ChronisModule',
    `${who} ${imports}, and nothing would run, as no module imports ChronisModule.forRoot(). Import that in the root module, last.`,
  );
}

/**
 * Throws InvalidOptionError in a core that Nest's LazyModuleLoader has brought: no hook of it is called, so it would be there and nothing would ever run. Nest puts the global modules, its own core before
 * all others, in front of what such a module imports; at the boot they come after that.
 */
export function assertLoadedAtBoot(modules: ModulesContainer, moduleRef: ModuleRef): void {
  const all = [...modules.values()];
  const core = all.find(({ providers }) => providers.get(ModuleRef)?.instance === moduleRef);
  const [first] = core?.imports ?? [];
  if (core === undefined || first?.name !== 'InternalCoreModule') return;
  const own = all.find((module) => runsJobs(module) && module.imports.has(core));
  const importing = all.find(({ imports }) => own !== undefined && imports.has(own)) ?? own;
  throw new InvalidOptionError(
    'ChronisModule',
    `${importing?.name ?? 'a module'} is loaded lazily with a forRoot(), and nothing would run, as Nest calls no hook of such a module. Import ChronisModule.forRoot() in the root module, last; what modules declare that are loaded lazily is found there.`,
  );
}

/** A ChronisModule of forRoot(), or the ScheduleModule that has one within. */
export function runsJobs({ providers }: ModuleOf): boolean {
  return [...providers.keys()].some((token) => typeof token === 'function' && token.name === 'ChronisRunner');
}

/** The token of the SchedulerService of an instance. @publicApi */
export function getSchedulerToken(instance: string = defaultInstance): InjectionToken<SchedulerService> {
  return tokenIn(instance, SchedulerService) as InjectionToken<SchedulerService>;
}

/** The token of the DefinitionService of an instance. @publicApi */
export function getDefinitionsToken(instance: string = defaultInstance): InjectionToken<DefinitionService> {
  return tokenIn(instance, DefinitionService) as InjectionToken<DefinitionService>;
}

/** The token of the ChronisEvents of an instance. @publicApi */
export function getChronisEventsToken(instance: string = defaultInstance): InjectionToken<ChronisEvents> {
  return tokenIn(instance, ChronisEvents) as InjectionToken<ChronisEvents>;
}

/** The token of the JobDeclarations of an instance. @publicApi */
export function getJobDeclarationsToken(instance: string = defaultInstance): InjectionToken<JobDeclarations> {
  return tokenIn(instance, JobDeclarations) as InjectionToken<JobDeclarations>;
}

/** The token of the StorageAdapter of an instance: for what keeps something of its own there. @publicApi */
export function getStorageToken(instance: string = defaultInstance): InjectionToken<StorageAdapter> {
  return tokenIn(instance, StorageAdapter) as InjectionToken<StorageAdapter>;
}

/** The token of the Clock of an instance. @publicApi */
export function getClockToken(instance: string = defaultInstance): InjectionToken<Clock> {
  return tokenIn(instance, Clock) as InjectionToken<Clock>;
}

/** The token of the LockAdapter of an instance: for what one process of all shall do. @publicApi */
export function getLockToken(instance: string = defaultInstance): InjectionToken<LockAdapter> {
  return tokenIn(instance, LockAdapter) as InjectionToken<LockAdapter>;
}

/** The token of the Redactor of an instance: for what shows payloads, results and errors somewhere. @publicApi */
export function getRedactorToken(instance: string = defaultInstance): InjectionToken<Redactor> {
  return tokenIn(instance, Redactor) as InjectionToken<Redactor>;
}

/** The token of the Tracing of an instance: for what makes traces of its attempts. @publicApi */
export function getTracingToken(instance: string = defaultInstance): InjectionToken<Tracing> {
  return tokenIn(instance, Tracing) as InjectionToken<Tracing>;
}

/** The token of the WorkflowService of an instance. @publicApi */
export function getWorkflowsToken(instance: string = defaultInstance): InjectionToken<WorkflowService> {
  return tokenIn(instance, WorkflowService) as InjectionToken<WorkflowService>;
}

/** Injects the SchedulerService of an instance: `@InjectScheduler('reports')`. @publicApi */
export function InjectScheduler(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getSchedulerToken(instance));
}

/** Injects the DefinitionService of an instance. @publicApi */
export function InjectDefinitions(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getDefinitionsToken(instance));
}

/** Injects the WorkflowService of an instance. @publicApi */
export function InjectWorkflows(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getWorkflowsToken(instance));
}

/** Injects the ChronisEvents of an instance. @publicApi */
export function InjectChronisEvents(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getChronisEventsToken(instance));
}
