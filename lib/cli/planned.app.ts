import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
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
import { BootNotes, type BootedJob } from './boot.notes.js';
import { BootProgress } from './boot.progress.js';
import { FailedError, UsageError } from './cli.errors.js';
import { planningStorage } from './planning.storage.js';
import { sourcePlace } from './source.place.js';
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
  /** What the hooks of the application do to jobs while it boots. */
  booted: readonly BootedJob[];
}

type ExportedModule = Type | DynamicModule;

const inMemory = 'keeps its jobs in memory: nothing is stored that could change';
/** What a ChronisModule without a name is called. */
const unnamed = 'default';
const compiled = 'Give the compiled module, such as dist/app.module.js.';

/** The module that a file exports, also a dynamic one, or a promise of one. Throws UsageError, and what such a promise rejects with. */
export async function exportedModule(path: string, name: string): Promise<ExportedModule> {
  const file = resolve(path);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`--app: there is no ${file}. ${compiled}`);
  if (!stat.isFile()) throw new UsageError(`--app: ${file} is no file. ${compiled}`);
  const found = await importOf(file);
  const nested = found.default as Record<string, unknown> | undefined;
  const module: unknown = await (found[name] ?? nested?.[name]);
  if (isModule(module)) return module;
  const names = Object.entries({ ...nested, ...found })
    .filter(([, value]) => isModule(value))
    .map(([each]) => each);
  const what = module === undefined ? `no "${name}"` : `a "${name}" that is no module`;
  throw new UsageError(
    `--app: ${file} exports ${what}. Give its name by --export; there are: ${names.join(', ') || 'none'}.`,
  );
}

function isModule(exported: unknown): exported is ExportedModule {
  if (typeof exported === 'function') return true;
  return typeof (exported as Partial<DynamicModule> | null | undefined)?.module === 'function';
}

async function importOf(file: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(file);
  try {
    return (await import(url.href)) as Record<string, unknown>;
  } catch (error) {
    const place = error instanceof SyntaxError ? sourcePlace(error, url) : null;
    if (place !== null)
      throw new UsageError(
        `--app: ${file} cannot be loaded: ${place}: ${(error as Error).message}. ${compiled}`,
      );
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    throw new UsageError(`--app: ${file} is no JavaScript. ${compiled}`);
  }
}

/** Boots the application with its hooks, without starting its scheduler, and with a storage that changes nothing. Throws FailedError, and what the boot throws. `followed`: told who knows how far the boot is. */
export async function planOf(
  module: ExportedModule,
  logger: StderrLogger,
  followed: (progress: BootProgress) => void,
): Promise<PlannedApp> {
  const override = new PlanningOverride(followed);
  const root: DynamicModule = { module: class ChronisPlan {}, imports: [overriding(override), module] };
  const context = await NestFactory.createApplicationContext(root, { logger, abortOnError: false });
  try {
    const found: PlannedInstance[] = [];
    for (const notes of override.instances.values()) if (notes?.refusal) throw notes.refusal;
    for (const [instance, notes] of override.instances) {
      if (notes === null) logger.warn(`The instance "${instance}" ${inMemory}.`);
      else found.push(await planOfInstance(context, instance, notes));
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
  { jobs: booted }: BootNotes,
): Promise<PlannedInstance> {
  const anywhere = { strict: false };
  const plan = await context.get(getJobDeclarationsToken(instance), anywhere).plan();
  const { flows } = context.get(getStorageToken(instance), anywhere);
  const workflows = context.get(getWorkflowsToken(instance), anywhere);
  const ofWorkflows = flows === undefined ? [] : (await workflows.plan()).lacks;
  return { instance, ...plan, booted, lacks: [...plan.lacks, ...ofWorkflows] };
}

function overriding(override: PlanningOverride): DynamicModule {
  return {
    module: class ChronisPlanOverride {},
    global: true,
    providers: [
      { provide: ChronisOverride, useValue: override },
      {
        provide: BootProgress,
        inject: [ModulesContainer],
        useFactory: (modules: ModulesContainer) => override.follow(new BootProgress(modules)),
      },
    ],
    exports: [ChronisOverride],
  };
}

class PlanningOverride extends ChronisOverride {
  /** What is booted in each, by its name; null: it is in memory. */
  readonly instances = new Map<string, BootNotes | null>();

  constructor(private readonly followed: (progress: BootProgress) => void) {
    super();
  }

  follow(progress: BootProgress): BootProgress {
    this.followed(progress);
    return progress;
  }

  options(given: ChronisOptions, instance: string): ChronisOptions {
    const { storage } = given;
    const looking = { ...given, autoStart: false, syncDeclarations: false };
    const notes = storage === undefined ? null : new BootNotes();
    this.instances.set(instance, notes);
    if (storage === undefined || notes === null) return looking;
    return {
      ...looking,
      storage: lookingAt(storage, notes),
      // That of the storage: another one may have tables of its own to be made.
      lock: undefined as never,
    };
  }

  observe(): void {}
}

function lookingAt(storage: AdapterInput<StorageAdapter>, notes: BootNotes): AdapterInput<StorageAdapter> {
  if (!('create' in storage)) return planningStorage(storage, notes);
  return {
    ...storage,
    create: async (...injected: never[]) => planningStorage(await storage.create(...injected), notes),
  };
}
