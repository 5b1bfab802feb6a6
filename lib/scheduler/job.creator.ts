import { InvalidOptionError, JobAlreadyExistsError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { Calendars, CronFields, DurationInput, InstantInput, TriggerInput } from '../model/trigger.js';
import type { Tracing } from '../engine/tracing.js';
import type { InsertResult, NewJob } from '../ports/storage.adapter.js';
import type { GivenJob } from './create.options.js';
import { apiJob } from './api.job.js';
import { commonKeys } from './common.keys.js';
import { withTask } from '../tasks/task.option.js';
import type { HandlerDirectory } from './handler.directory.js';
import { schemaOf, withDefaults } from './handler.reference.js';
import { allowsUnknown, handlerUses, type HandlerUse } from './handler.uses.js';
import { tellDue, type JobAccess } from './job.access.js';
import { storeJob } from './job.replacement.js';
import { beginSchedule, defineJob, type JobDefaults } from './job.definition.js';
import { appName, handlerName } from './names.js';
import { cronHints, dateHints, intervalHints } from './option.hints.js';
import { knownOptions, oneOf, trueOrFalse } from './option.checks.js';
import { newJobId } from './new.job.id.js';
import { OneOffPattern } from './one.off.pattern.js';
import { anyTrigger } from './schedule.options.js';
import type { StorageNow } from './storage.now.js';
import {
  afterDelay,
  isNone,
  cronFieldKeys,
  cronTrigger,
  durationPartKeys,
  onlyOne,
  timingKeys,
  timingOf,
} from './trigger.options.js';

const intervalKeys = [...commonKeys, ...timingKeys.interval, 'every', ...durationPartKeys];
const cronKeys = [...commonKeys, ...timingKeys.cron, 'cron', 'expression', 'fields', ...cronFieldKeys];
const dateKeys = [...commonKeys, ...timingKeys.at, 'keep', 'refusePast', 'at', 'in', 'runAt'];

/** Makes jobs at run time: validated before anything is stored. */
export class JobCreator {
  constructor(
    private readonly defaults: JobDefaults,
    private readonly handlers: HandlerDirectory,
    private readonly time: StorageNow,
    readonly tracing: Tracing,
  ) {}

  async interval(said: GivenJob, access: JobAccess): Promise<Job> {
    const options = withTask(said);
    const given = knownOptions(options, intervalKeys, 'createIntervalJob()', intervalHints);
    const every = onlyOne(given, [
      { name: '"every"', keys: ['every'] },
      { name: 'parts such as "minutes"', keys: durationPartKeys },
    ]) as DurationInput;
    return this.create(options, { ...timingOf('interval', given), every }, access);
  }

  async cron(said: GivenJob, access: JobAccess): Promise<Job> {
    const options = withTask(said);
    const given = knownOptions(options, cronKeys, 'createCronJob()', cronHints);
    const schedule = onlyOne(given, [
      { name: '"cron"', keys: ['cron'] },
      { name: 'fields such as "hour"', keys: cronFieldKeys },
      { name: '"expression"', keys: ['expression'], isAlias: true },
      { name: '"fields"', keys: ['fields'], isAlias: true },
    ]) as string | CronFields;
    return this.create(options, cronTrigger(schedule, given), access);
  }

  async date(said: GivenJob, access: JobAccess): Promise<Job> {
    const options = withTask(said);
    const given = knownOptions(options, dateKeys, 'createDateJob()', dateHints);
    const when = onlyOne(given, [
      { name: '"at"', keys: ['at'] },
      { name: '"in"', keys: ['in'] },
      { name: '"runAt"', keys: ['runAt'], isAlias: true },
    ]);
    const at =
      options.in === undefined
        ? (when as InstantInput)
        : afterDelay(options.in, await this.time.now(access.jobs));
    return this.create(options, { ...timingOf('at', given), at }, access);
  }

  async any(said: GivenJob, access: JobAccess): Promise<Job> {
    const options = withTask(said);
    return this.create(options, anyTrigger(options, await this.time.now(access.jobs), 'createJob()'), access);
  }

  async create(options: GivenJob, trigger: TriggerInput, access: JobAccess): Promise<Job> {
    return (await this.createOr(options, trigger, access)).job;
  }

  /** The same, with what became of it. */
  async createOr(options: GivenJob, trigger: TriggerInput, access: JobAccess): Promise<Stored> {
    const job = await this.prepare(options, trigger, access);
    const given = { job, trigger, onConflict: options.onConflict ?? 'raise' };
    const { calendars } = this.defaults;
    const result = await this.tracing.storing([job], () => storeJob(access, given, calendars));
    if (result.status === 'conflict') throw new JobAlreadyExistsError(job.id, job.namespace);
    if (result.status !== 'existing') tellDue(access, [job]);
    return result;
  }

  get calendars(): Calendars {
    return this.defaults.calendars;
  }

  /** A job as it is to be stored, validated. */
  private async prepare(options: GivenJob, trigger: TriggerInput, access: JobAccess): Promise<NewJob> {
    const now = await this.time.now(access.jobs);
    const job = this.define(options, trigger, now);
    await this.admit(job, options, (use) => this.assertKnown(use, now, access));
    return job;
  }

  /** A job as it is to be stored, once it is admitted. */
  define(given: GivenJob, trigger: TriggerInput, now: number): NewJob {
    const isOneOff = trigger?.type === 'at' || trigger?.type === 'after';
    const options = withDefaults(given, isOneOff);
    const { id: givenId, onConflict = 'raise', allowUnknownHandler, refusePast = false } = options;
    oneOf(onConflict, 'onConflict', ['raise', 'ignore', 'replace']);
    if (allowUnknownHandler !== undefined) trueOrFalse(allowUnknownHandler, 'allowUnknownHandler');
    trueOrFalse(refusePast, 'refusePast');
    const newId = givenId === undefined;
    const id = newId ? newJobId(now) : givenId;
    if ((options.handler ?? null) === null)
      throw new InvalidOptionError(
        'handler',
        'is missing. Give the name of a handler, or a task: { task: { type, … } }.',
      );
    const handler = handlerName(options.handler);
    const app = options.app === undefined ? this.handlers.app : appName(options.app);
    // A one-off in the past runs at once. What recurs and has no instant left is a mistake, unless it is said again at each start.
    // A delay counts from now, so it is never in the past, though some time has gone by since it was added up.
    const isDelay = 'in' in options && options.in !== undefined;
    const assertFuture = (refusePast && !isDelay) || (!isOneOff && onConflict === 'raise');
    const hasSchema = this.handlers.schemasOf({ app, handler }, schemaOf(options.handler)).length > 0;
    const input = { id, handler, trigger, options, refusePast: assertFuture, hasSchema };
    const definition = defineJob(input, this.defaults, now);
    const { trigger: begun, nextAt: first } = beginSchedule(definition, now, this.defaults.calendars);
    const { payload, metadata, policies } = definition;
    const nextAt = options.in !== undefined && isNone(options.in) ? null : first;
    return apiJob(definition, app, { id, trigger: begun, payload, metadata, policies, nextAt, newId });
  }

  /** Rejects when nobody has the handlers of the job, or when its payload does not fit. */
  async admit(job: NewJob, given: GivenJob, assertKnown: (use: HandlerUse) => Promise<void>): Promise<void> {
    if (!allowsUnknown(given, this.handlers.allowsUnknown)) {
      for (const use of handlerUses({ ...job, app: job.app ?? this.handlers.app }, given))
        await assertKnown(use);
    }
    this.handlers.assertTriable(job);
    await this.handlers.assertFits(job, schemaOf(given.handler));
  }

  /** What other one-offs can be made after, now that this one was admitted; null: none. */
  patternOf(item: GivenJob, job: NewJob): OneOffPattern | null {
    const checksPayload = this.handlers.schemasOf(job, schemaOf(item.handler)).length > 0;
    return OneOffPattern.of(item, job, this.defaults, checksPayload);
  }

  /** The same for handlers that steps call, unless the module accepts any. `app`: of this one by default. */
  async assertStepsKnown(
    uses: readonly Pick<HandlerUse, 'handler' | 'usedBy' | 'isWorkflow'>[],
    now: number,
    access: Pick<JobAccess, 'jobs'>,
    app = this.handlers.app,
  ): Promise<void> {
    if (this.handlers.allowsUnknown) return;
    for (const use of uses) await this.assertKnown({ ...use, app, isReference: false }, now, access);
  }

  /** Throws HandlerNotFoundError when nobody in the app has, or has had, the handler. */
  assertKnown(use: HandlerUse, now: number, { jobs }: Pick<JobAccess, 'jobs'>): Promise<void> {
    return this.handlers.assertKnown(use, now, jobs);
  }
}

type Stored = Exclude<InsertResult, { status: 'conflict' }>;
