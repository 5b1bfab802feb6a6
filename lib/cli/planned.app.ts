import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisOverride,
  getJobDeclarationsToken,
  getStorageToken,
  getWorkflowsToken,
  type AdapterInput,
  type ChronisOptions,
  type DeployPlan,
  type StorageAdapter,
} from '../index.js';
import { FailedError, UsageError } from './cli.errors.js';
import { planningStorage, type BootedJobs } from './planning.storage.js';
import type { StderrLogger } from './stderr.logger.js';

/** What a deploy of an application would change: in the instance without a name, or in the first one, and in the others. */
export interface PlannedApp extends PlannedInstance {
  /** All further ones. */
  instances: readonly PlannedInstance[];
}

/** What it would change in one ChronisModule. */
export interface PlannedInstance extends DeployPlan {
  /** The name of the module, `default` without one. */
  instance: string;
  /** Jobs that the hooks of the application make or replace while it boots. */
  booted: BootedJobs;
  /** Handlers that workflows under way need and this release lacks, a sentence each. */
  lacks: readonly string[];
}

const inMemory = 'keeps its jobs in memory: nothing is stored that could change';
/** What a ChronisModule without a name is called. */
const unnamed = 'default';

/** The module that a file exports. Throws UsageError. */
export async function exportedModule(path: string, name: string): Promise<Type> {
  const file = resolve(path);
  if (!existsSync(file))
    throw new UsageError(`--app: there is no ${file}. Give the compiled module, such as dist/app.module.js.`);
  const found = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const nested = found.default as Record<string, unknown> | undefined;
  const module = found[name] ?? nested?.[name];
  if (typeof module === 'function') return module as Type;
  const names = Object.keys({ ...nested, ...found }).filter((each) => each !== 'default');
  throw new UsageError(
    `--app: ${file} exports no "${name}". Give its name by --export; there are: ${names.join(', ') || 'none'}.`,
  );
}

/** Boots the application with its hooks, without starting its scheduler, and with a storage that changes nothing. Throws FailedError, and what the boot throws. */
export async function planOf(module: Type, logger: StderrLogger): Promise<PlannedApp> {
  const override = new PlanningOverride();
  const root: DynamicModule = { module: class ChronisPlan {}, imports: [overriding(override), module] };
  const context = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
  try {
    const found: PlannedInstance[] = [];
    for (const [instance, booted] of override.instances) {
      if (booted === null) logger.warn(`The instance "${instance}" ${inMemory}.`);
      else found.push(await planOfInstance(context, instance, booted));
    }
    const first = found.find(({ instance }) => instance === unnamed) ?? found[0];
    if (first !== undefined) return { ...first, instances: found.filter((each) => each !== first) };
    if (override.instances.size > 0)
      throw new FailedError(`The ChronisModule of the application ${inMemory}.`);
    throw new FailedError('The module brings no ChronisModule.forRoot(), so it declares no jobs.');
  } finally {
    await context.close();
  }
}

async function planOfInstance(
  context: INestApplicationContext,
  instance: string,
  booted: BootedJobs,
): Promise<PlannedInstance> {
  const anywhere = { strict: false };
  const plan = await context.get(getJobDeclarationsToken(instance), anywhere).plan();
  const { flows } = context.get(getStorageToken(instance), anywhere);
  const workflows = context.get(getWorkflowsToken(instance), anywhere);
  const { lacks } = flows === undefined ? { lacks: [] } : await workflows.plan();
  return { instance, ...plan, booted, lacks };
}

function overriding(override: PlanningOverride): DynamicModule {
  return {
    module: class ChronisPlanOverride {},
    global: true,
    providers: [{ provide: ChronisOverride, useValue: override }],
    exports: [ChronisOverride],
  };
}

class PlanningOverride extends ChronisOverride {
  /** What is booted in each, by its name; null: it is in memory. */
  readonly instances = new Map<string, BootedJobs | null>();

  options(given: ChronisOptions, instance: string): ChronisOptions {
    const { storage } = given;
    const looking = { ...given, autoStart: false, syncDeclarations: false };
    const booted: BootedJobs | null = storage === undefined ? null : [];
    this.instances.set(instance, booted);
    if (storage === undefined || booted === null) return looking;
    return {
      ...looking,
      storage: lookingAt(storage, booted),
      // That of the storage: another one may have tables of its own to be made.
      lock: undefined as never,
    };
  }

  observe(): void {}
}

function lookingAt(storage: AdapterInput<StorageAdapter>, booted: BootedJobs): AdapterInput<StorageAdapter> {
  if (!('create' in storage)) return planningStorage(storage, booted);
  return {
    ...storage,
    create: async (...injected: never[]) => planningStorage(await storage.create(...injected), booted),
  };
}
