import { EmptyJobIdError, InvalidOptionError, JobAlreadyExistsError, StorageError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import type { TriggerInput } from '../model/trigger.js';
import type { ConflictPolicy, NewJob } from '../ports/storage.adapter.js';
import type { ByHandler, HandlerReference } from './handler.reference.js';
import type { JobCreator } from './job.creator.js';
import { tellDue, type JobAccess, type ManagerOption } from './job.access.js';
import { refKey } from './job.identity.js';
import { replaceInPlace } from './job.replacement.js';
import { described, knownOptions, oneOf } from './option.checks.js';
import {
  scheduledTrigger,
  type CreateManyOptions,
  type CreateManyResult,
  type ScheduledJob,
  type ScheduleFor,
  type ScheduleOptions,
  type UpsertResult,
} from './schedule.options.js';
import type { StorageNow } from './storage.now.js';

/** Prepared while the former ones are written. */
const itemsPerStep = 500;

/** Creates jobs by the common form of `schedule`: one, one that may be there, or very many. */
export class BulkCreator {
  constructor(
    private readonly creator: JobCreator,
    private readonly time: StorageNow,
  ) {}

  async one(
    handler: string | HandlerReference<any>,
    options: ScheduleOptions | ScheduleFor<HandlerReference<any>>,
    access: JobAccess,
  ): Promise<Job> {
    const given = { ...options, handler } as ByHandler<ScheduledJob>;
    return this.creator.create(given, scheduledTrigger(given, await this.time.now(), 'schedule()'), access);
  }

  async upsert(given: ByHandler<ScheduledJob>, access: JobAccess): Promise<UpsertResult> {
    if (given?.id === undefined) throw new EmptyJobIdError();
    if (given.onConflict !== undefined && given.onConflict !== 'replace') {
      throw new InvalidOptionError('onConflict', 'upsert() always replaces; leave it out.');
    }
    const options: ByHandler<ScheduledJob> = { ...given, onConflict: 'replace' };
    const trigger = scheduledTrigger(options, await this.time.now(), 'upsert()');
    const result = await this.creator.createOr(options, trigger, access);
    return result as UpsertResult;
  }

  async many(
    items: readonly ByHandler<ScheduledJob>[],
    options: CreateManyOptions & ManagerOption,
    access: JobAccess,
  ): Promise<CreateManyResult[]> {
    if (!Array.isArray(items)) {
      throw new InvalidOptionError(
        'items',
        `createMany() takes a list of jobs, but was given ${described(items)}.`,
      );
    }
    knownOptions(options, ['onConflict', 'manager'], 'createMany()');
    const onConflict = oneOf(options.onConflict ?? 'raise', 'onConflict', ['raise', 'ignore', 'replace']);
    const assertKnown = this.rememberedHandlers(await this.time.now());
    const results: CreateManyResult[] = [];
    let writing: Promise<CreateManyResult[]> = Promise.resolve([]);
    for (let start = 0; start < items.length; start += itemsPerStep) {
      const prepared = [];
      for (const item of items.slice(start, start + itemsPerStep)) {
        prepared.push(await this.prepare(item, onConflict, assertKnown));
      }
      const written = await writing;
      results.push(...written);
      const gone = written.find(
        (result) => result.status === 'rejected' && result.error instanceof StorageError,
      );
      // Each further call would wait for the same storage.
      if (gone) return [...results, ...items.slice(results.length).map(() => gone)];
      writing = this.store(prepared, access);
    }
    return [...results, ...(await writing)];
  }

  private async prepare(
    item: ByHandler<ScheduledJob>,
    onConflict: ConflictPolicy,
    assertKnown: (handler: string) => Promise<void>,
  ): Promise<Prepared> {
    try {
      const trigger = scheduledTrigger(item, await this.time.now(), 'an item of createMany()');
      const options = { ...item, onConflict: item.onConflict ?? onConflict };
      return {
        job: await this.creator.prepare(options, trigger, assertKnown),
        trigger,
        onConflict: options.onConflict,
      };
    } catch (error) {
      return { status: 'rejected', error };
    }
  }

  private async store(prepared: readonly Prepared[], access: JobAccess): Promise<CreateManyResult[]> {
    const inPlace = await this.replacedInPlace(prepared, access);
    // All at once from here on, so that they are stored in their order.
    const results = await Promise.all(
      prepared.map(async (item, nth): Promise<CreateManyResult> => {
        if ('status' in item) return item;
        const { job, onConflict } = item;
        try {
          if (inPlace[nth]) return inPlace[nth];
          const result = await access.insert(job, onConflict);
          if (result.status !== 'conflict') return result;
          return { status: 'rejected', error: new JobAlreadyExistsError(job.id, job.namespace) };
        } catch (error) {
          return { status: 'rejected', error };
        }
      }),
    );
    tellDue(
      access,
      prepared.flatMap((item) => ('job' in item ? item.job : [])),
    );
    return results;
  }

  /** Of each item; null: it is to be inserted. Of an id that is there several times the last is to stay, so the storage decides in their order. */
  private replacedInPlace(
    prepared: readonly Prepared[],
    access: JobAccess,
  ): Promise<(CreateManyResult | null)[]> {
    const isAny = prepared.some((item) => 'job' in item && item.onConflict === 'replace');
    if (!isAny) return Promise.resolve(prepared.map(() => null));
    const times = new Map<string, number>();
    for (const item of prepared) {
      if ('job' in item) times.set(refKey(item.job), (times.get(refKey(item.job)) ?? 0) + 1);
    }
    return Promise.all(
      prepared.map(async (item): Promise<CreateManyResult | null> => {
        if (!('job' in item) || times.get(refKey(item.job)) !== 1) return null;
        try {
          const { job, trigger, onConflict } = item;
          return (await replaceInPlace(access, job, trigger, onConflict)) as CreateManyResult | null;
        } catch (error) {
          return { status: 'rejected', error };
        }
      }),
    );
  }

  /** Each handler is looked up once, also one that nobody has. */
  private rememberedHandlers(now: number): (handler: string) => Promise<void> {
    const answers = new Map<string, Promise<void>>();
    return (handler) => {
      let answer = answers.get(handler);
      if (!answer) answers.set(handler, (answer = this.creator.assertKnown(handler, now)));
      return answer;
    };
  }
}

type Prepared =
  | { job: NewJob; trigger: TriggerInput; onConflict: ConflictPolicy }
  | { status: 'rejected'; error: unknown };
