import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { HandlerFunction, RunContext } from '../engine/run.context.js';
import { ChronisError, SchedulerRunningError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { JobOptions, JobOverride } from '../model/job.options.js';
import type { TriggerInput } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import { definitionHash } from '../scheduler/definition.hash.js';
import { defineJob, jobOptionKeys, type JobDefaults } from '../scheduler/job.definition.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { localRemarks } from '../triggers/local.remark.js';
import { prefixMessage } from './declaration.reader.js';
import type { DeployPlan } from './deploy.plan.js';
import type { DeployPlanner } from './deploy.planner.js';
import type { JobExplorer } from './job.explorer.js';
import type { JobList, JobLists } from './job.lists.js';
import type { ListedJob, ListedJobs } from './listed.job.js';

/** A job with its code, as a decorator declares it. @publicApi */
export interface JobDeclaration extends JobOptions {
  /** Of the job and of its handler. */
  id: string;
  trigger: TriggerInput;
  /** What the job runs. */
  run: HandlerFunction;
  /** Where it is declared, for messages: `ReportService.daily`. */
  place: string;
}

/** How the owner of a list of jobs declares what is in it. @publicApi */
export interface ListDeclaration {
  /**
   * A job as the list has it, with `part`, the part of the list that it is from (such as a file), and `place`, where it is, for messages. Nothing is declared yet. Options are those of `schedule()` with `id`, `handler` or `task`, and one of `at`, `every` and `cron`.
   * Rejects with what is wrong with it, as `schedule()` does, DuplicateJobError where the code or another list declares the id, and with what keeps the storage from being asked.
   */
  read(options: Readonly<Record<string, unknown>>, part: string, place: string): Promise<ListedJob>;
  /**
   * From now on the list declares these jobs and no others. Stored jobs of a part that is `unclear` stay as they are. What comes of it is told by `jobs.synced`: ids that belong to other jobs are among `taken`.
   * What another list declares is left out, and returned: `read` says so the next time.
   */
  declare(jobs: readonly ListedJob[], unclear?: readonly string[]): JobRef[];
}

/** What declarations are added to. */
export interface DeclarationParts {
  lists: JobLists;
  listed: ListedJobs;
  /** What the process declares has changed. */
  onChange: () => void;
  explorer: JobExplorer;
  handlers: HandlerRegistry;
  clock: Clock;
  defaults: JobDefaults;
  running: () => boolean;
  planner: DeployPlanner;
}

/**
 * Declares jobs for code that finds its schedules in another way than by the decorators of this package. They are synced like those of decorators: changed
 * with the code, and orphaned when no live code declares them any more. @publicApi
 */
export class JobDeclarations {
  constructor(private readonly parts: DeclarationParts) {}

  /**
   * What `overrides` of the module say of a job, without what is undefined: for whoever declares it to apply, as `declare` does not. An override of a job that
   * nobody asks for stops the boot. Throws InvalidOptionError.
   */
  overrideOf(id: string): JobOverride {
    return this.parts.explorer.overrideOf(id);
  }

  /**
   * Adds a list of jobs that may change while the process runs: unlike what code declares, what it does not have any more does not fire from then on. Its jobs are run by handlers of this app, and
   * many of them may have the same. Until the scheduler starts, best in `onModuleInit`. Throws SchedulerRunningError, and InvalidOptionError where there is a list of this name.
   */
  list(list: JobList): ListDeclaration {
    const { lists, listed, running, onChange } = this.parts;
    if (running()) throw new SchedulerRunningError();
    const { name } = list;
    lists.add(list);
    return {
      read: (options, part, place) => listed.read(options, { list: name, part }, place),
      declare: (jobs, unclear = []) => {
        const declared = jobs.map((job) => job.declared);
        const others = lists.put(name, declared, unclear);
        onChange();
        return others;
      },
    };
  }

  /**
   * What a deploy of this code would change of what is stored, once its workers are the newest and those of the release before are gone: jobs and workflows that are new, changed or gone, with their next times, what changes of the clocks do
   * to them, and the hottest minutes before and after. For a process of the next release before it is deployed: with `autoStart: false` and `syncDeclarations: false` nothing is written. Lists (`list`, job files) are read for it, as a start would read them; what of them is not known is among `warnings`.
   *
   * @example
   * const { isEmpty, created, changed, gone } = await declarations.plan();
   */
  plan(): Promise<DeployPlan> {
    return this.parts.planner.plan();
  }

  /**
   * Until the scheduler starts, best in `onModuleInit`. Throws SchedulerRunningError, DuplicateJobError, DuplicateHandlerError and what is wrong
   * with the options: InvalidOptionError, InvalidScheduleError, InvalidPayloadError, EmptyJobIdError, InvalidJobIdError.
   */
  declare(declaration: JobDeclaration): void {
    const { explorer, handlers, clock, defaults, running } = this.parts;
    if (running()) throw new SchedulerRunningError();
    knownOptions(declaration, [...jobOptionKeys, 'trigger', 'run', 'place'], 'declare()');
    const { id, trigger, run, place, ...options } = declaration;
    const definition = at(place, () =>
      defineJob({ id, handler: id, trigger, options }, defaults, clock.now()),
    );
    const remarks = localRemarks('at' in trigger ? trigger.at : null, definition.timeZone);
    explorer.add({ definition, hash: definitionHash(definition), previousIds: [], place, remarks });
    handlers.register(id, run as (context: RunContext) => unknown, place);
  }
}

/** What `define` throws names the place. */
function at<T>(place: string, define: () => T): T {
  try {
    return define();
  } catch (error) {
    if (error instanceof ChronisError) prefixMessage(error, `${place}: `);
    throw error;
  }
}
