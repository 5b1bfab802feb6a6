import { InvalidOptionError, StaleJobError } from '../model/errors.js';
import type { Job, JobRef } from '../model/job.js';
import { stableJson } from '../model/json.js';
import { isOnce, type Trigger } from '../model/trigger.js';
import type { JobPatch, JobStore } from '../ports/storage.adapter.js';
import type { GivenChanges } from './create.options.js';
import { changesBy, resetOf } from './declared.changes.js';
import { callbacksOf } from './callback.options.js';
import { withTask } from '../tasks/task.option.js';
import type { HandlerDirectory } from './handler.directory.js';
import { schemaOf } from './handler.reference.js';
import { allowsUnknown, handlerUses } from './handler.uses.js';
import type { JobAccess } from './job.access.js';
import {
  assertOptionsFit,
  beginSchedule,
  createdJobKeys,
  defineTrigger,
  metadataOf,
  payloadOf,
  type JobDefaults,
} from './job.definition.js';
import { refKey } from './job.identity.js';
import { missingJob } from './missing.job.js';
import { appName, handlerName, queueName } from './names.js';
import { knownOptions, lineOfText, wholeNumber } from './option.checks.js';
import { updateHints } from './option.hints.js';
import { policiesOf, priorityOf } from './policy.options.js';
import { allTimingKeys, changedTrigger } from './schedule.options.js';
import type { StorageNow } from './storage.now.js';

const fixed: readonly string[] = ['id', 'namespace'];
const aboutKeys = [
  ...createdJobKeys.filter((key) => !fixed.includes(key)),
  'handler',
  'task',
  'keep',
  'allowUnknownHandler',
];
const updateKeys = [
  ...aboutKeys,
  'trigger',
  ...allTimingKeys.filter((key) => key !== 'refusePast' && key !== 'keep'),
];
const maxTries = 10;

/** How `updateJob` changes a job. @publicApi */
export interface UpdateOptions {
  /** The `revision` that the job must still have. */
  expectedRevision?: number;
  /** Who changes it, kept with each option of a declared job: see `Job.changed`. One line. @default nobody is named */
  by?: string;
}

export const updateOptionKeys = ['expectedRevision', 'by'] satisfies (keyof UpdateOptions)[];

/** Changes stored jobs: reads, merges, and writes if nobody else has changed the job meanwhile; else it reads again. */
export class JobUpdater {
  constructor(
    private readonly defaults: JobDefaults,
    private readonly handlers: HandlerDirectory,
    private readonly time: StorageNow,
  ) {}

  async update(
    ref: JobRef,
    said: GivenChanges,
    access: JobAccess,
    { expectedRevision, by }: UpdateOptions = {},
  ): Promise<Job> {
    const given = withTask(said);
    const known = knownOptions(given, updateKeys, 'updateJob()', updateHints);
    const { time } = this;
    const now = await (known.in === undefined ? time.now(access.jobs) : time.asked(access.jobs));
    const trigger = changedTrigger(known, aboutKeys, now);
    const changes: GivenChanges = { ...given, trigger };
    const changedBy = by === undefined ? null : lineOfText(by, 'by');
    if (expectedRevision !== undefined) {
      wholeNumber(expectedRevision, 'expectedRevision', 0, Number.MAX_SAFE_INTEGER);
    }
    return this.write(ref, access, expectedRevision, async (job, now) => {
      const patch = this.patchOf(job, changes, now);
      const after = { ...job, ...patch };
      if (!allowsUnknown(changes, this.handlers.allowsUnknown)) {
        await this.assertHandlers(after, patch, changes, now, access.jobs);
      }
      // Of what was stored before, by a process that did not know, all else can be changed.
      if (changes.maxRetries !== undefined || patch.handler !== undefined) this.handlers.assertTriable(after);
      if (patch.payload !== undefined || patch.handler !== undefined) {
        await this.handlers.assertFits(after, schemaOf(changes.handler));
      }
      if (job.source === 'code') {
        patch.changed = changesBy(job, after, changes, { at: now, by: changedBy });
      }
      return patch;
    });
  }

  /** Takes back what was changed at run time of a declared job. */
  async reset(ref: JobRef, access: JobAccess): Promise<Job> {
    return this.write(ref, access, undefined, (job, now) => {
      if (job.source !== 'code') {
        throw new InvalidOptionError(
          'id',
          `the job "${job.id}" was made at run time, and no code says what it was to be. Change it by updateJob(), or delete it.`,
        );
      }
      return resetOf(job, now, this.defaults.calendars);
    });
  }

  /** Reads, and writes what is made of that, again if the job has changed meanwhile. null: there is nothing to write. */
  private async write(
    ref: JobRef,
    { jobs, changed }: JobAccess,
    expectedRevision: number | undefined,
    patchOf: (job: Job, now: number) => JobPatch | null | Promise<JobPatch>,
  ): Promise<Job> {
    const now = await this.time.now(jobs);
    for (let tries = 0; tries < maxTries; tries++) {
      const job = await jobs.getJob(ref);
      if (job === null) throw await missingJob(ref, jobs);
      const patch = await patchOf(job, now);
      if (patch === null) return job;
      const result = await jobs.updateJob(ref, patch, expectedRevision ?? job.revision);
      if (result === 'not-found') throw await missingJob(ref, jobs);
      if (result !== 'stale') {
        changed();
        return result;
      }
      if (expectedRevision !== undefined) break;
    }
    throw new StaleJobError(ref.id, ref.namespace);
  }

  /** Of what changes, the handlers that it names; of a job that changes its app, all that it has. */
  private async assertHandlers(
    changed: Pick<Job, 'app' | 'handler' | 'policies'>,
    { app, handler }: JobPatch,
    changes: GivenChanges,
    now: number,
    jobs: JobStore,
  ): Promise<void> {
    const named = {
      handler: (handler ?? app) === undefined ? null : changed.handler,
      app: changed.app ?? this.handlers.app,
      policies: app === undefined ? callbacksOf(changes) : changed.policies,
    };
    for (const use of handlerUses(named, changes)) await this.handlers.assertKnown(use, now, jobs);
  }

  private patchOf(job: Job, changes: GivenChanges, now: number): JobPatch {
    const { name, handler, queue, priority, payload, metadata } = changes;
    const patch: JobPatch = {};
    if (changes.app !== undefined) patch.app = this.appOf(job, changes.app);
    if (name !== undefined) patch.name = name === null ? null : lineOfText(name, 'name');
    if (handler !== undefined) patch.handler = handlerName(handler);
    const after = { app: patch.app ?? job.app, handler: patch.handler ?? job.handler };
    const hasSchema = this.handlers.schemasOf(after, schemaOf(handler)).length > 0;
    if (queue !== undefined) patch.queue = queueName(queue);
    if (priority !== undefined) patch.priority = priorityOf(priority);
    if (payload !== undefined) patch.payload = payloadOf(payload, this.defaults, hasSchema, after.handler);
    if (metadata !== undefined) patch.metadata = metadataOf(metadata, this.defaults);
    const policies = policiesOf(changes);
    if (Object.keys(policies).length > 0) patch.policies = { ...job.policies, ...policies };
    if (changes.trigger !== undefined || changes.timeZone !== undefined) {
      Object.assign(patch, this.schedulePatch(job, changes, now));
    }
    assertOptionsFit(changes, patch.trigger ?? job.trigger);
    return patch;
  }

  private appOf(job: Job, given: unknown): string {
    const app = appName(given);
    if (job.source !== 'code' || app === job.app) return app;
    throw new InvalidOptionError(
      'app',
      `the job "${job.id}" is declared by the code of "${job.app}" and stays so. Move the declaration.`,
    );
  }

  private schedulePatch(
    job: Job,
    { trigger, timeZone }: Pick<GivenChanges, 'trigger' | 'timeZone'>,
    now: number,
  ): JobPatch {
    const wanted = trigger ?? job.trigger;
    const inZone = timeZone === undefined ? wanted : { ...wanted, timeZone };
    const normalized = defineTrigger(inZone, refKey(job), { ...this.defaults, timeZone: job.timeZone }, now);
    if (normalized.type === 'after' && trigger !== undefined) {
      throw new InvalidOptionError(
        'trigger',
        `what the job "${job.id}" waits for is said when it is created. Delete it and create another one with "after".`,
      );
    }
    if (isOnce(normalized) !== isOnce(job.trigger)) {
      throw new InvalidOptionError(
        'trigger',
        `the job "${job.id}" ${isOnce(job.trigger) ? 'is a one-off' : 'recurs'} and stays so. Delete it and create another one.`,
      );
    }
    // A changed interval keeps its anchor.
    const anchor =
      job.trigger.type === 'interval' && job.trigger.anchor ? Date.parse(job.trigger.anchor) : now;
    const begun = beginSchedule({ ...job, trigger: normalized }, now, this.defaults.calendars, anchor);
    const schedule = { ...begun, timeZone: zoneOf(normalized) ?? job.timeZone };
    const isSame =
      stableJson([schedule.trigger, schedule.timeZone]) === stableJson([job.trigger, job.timeZone]);
    // What is said again, at each start for instance, must not leave out an instant that is due just then.
    return isSame && normalized.type !== 'at' ? {} : schedule;
  }
}

function zoneOf(trigger: Trigger): string | undefined {
  return 'timeZone' in trigger ? trigger.timeZone : undefined;
}
