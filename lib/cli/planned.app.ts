import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisOverride,
  getWorkflowsToken,
  JobDeclarations,
  StorageAdapter,
  type AdapterInput,
  type ChronisOptions,
  type DeployPlan,
  type WorkflowService,
} from '../index.js';
import { FailedError, UsageError } from './cli.errors.js';
import { planningStorage, type BootedJobs } from './planning.storage.js';
import type { StderrLogger } from './stderr.logger.js';

/** What a deploy of an application would change. */
export interface PlannedApp extends DeployPlan {
  /** Jobs that the hooks of the application make or replace while it boots. */
  booted: BootedJobs;
  /** Handlers that workflows under way need and this release lacks, a sentence each. */
  lacks: readonly string[];
}

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
    if (!override.isUsed) {
      throw new FailedError('The module brings no ChronisModule.forRoot(), so it declares no jobs.');
    }
    const plan = await context.get(JobDeclarations, { strict: false }).plan();
    const { flows } = context.get(StorageAdapter, { strict: false });
    const workflows = context.get<WorkflowService>(getWorkflowsToken(), { strict: false });
    const { lacks } = flows === undefined ? { lacks: [] } : await workflows.plan();
    return { ...plan, booted: override.booted, lacks };
  } finally {
    await context.close();
  }
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
  isUsed = false;
  readonly booted: BootedJobs = [];

  options(given: ChronisOptions): ChronisOptions {
    this.isUsed = true;
    const { storage } = given;
    if (storage === undefined) {
      throw new FailedError(
        'The ChronisModule of the application keeps its jobs in memory: nothing is stored that could change.',
      );
    }
    return {
      ...given,
      autoStart: false,
      syncDeclarations: false,
      storage: this.looking(storage),
      // That of the storage: another one may have tables of its own to be made.
      lock: undefined as never,
    };
  }

  observe(): void {}

  private looking(storage: AdapterInput<StorageAdapter>): AdapterInput<StorageAdapter> {
    if (!('create' in storage)) return planningStorage(storage, this.booted);
    return {
      ...storage,
      create: async (...injected: never[]) => planningStorage(await storage.create(...injected), this.booted),
    };
  }
}
