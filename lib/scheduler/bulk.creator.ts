import { EmptyJobIdError, InvalidOptionError, JobAlreadyExistsError, StorageError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { Job } from '../model/job.js';
import type { TaskOption } from '../model/task.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import { hasAfter } from './after.option.js';
import { assertNoCycle, assertTogether } from './bulk.graph.js';
import { BulkChecker, type Checked } from './bulk.checker.js';
import { withTask } from '../tasks/task.option.js';
import type { GivenJob } from './create.options.js';
import { isReference, type HandlerInput } from './handler.reference.js';
import type { JobCreator } from './job.creator.js';
import type { Inserted, Insertion } from './job.inserter.js';
import { tellDue, type JobAccess, type ManagerOption } from './job.access.js';
import { refKey } from './job.identity.js';
import { replaceInPlace } from './job.replacement.js';
import { described, knownOptions, oneOf } from './option.checks.js';
import {
  createdTrigger,
  type CreateManyOptions,
  type CreateManyResult,
  type UpsertResult,
} from './schedule.options.js';
import type { StorageNow } from './storage.now.js';

const itemsPerPortion = 500;
/** So many portions are written at a time, on connections of their own, while the next one is checked. */
const mostUnderWay = 2;

/** Creates jobs by the common form of `schedule`: one, one that may be there, or very many. */
export class BulkCreator {
  constructor(
    private readonly creator: JobCreator,
    private readonly time: StorageNow,
  ) {}

  async one(
    what: HandlerInput | TaskOption,
    options: Omit<GivenJob, 'handler'>,
    access: JobAccess,
  ): Promise<Job> {
    assertFirst(what, options);
    const first = isTask(what)
      ? knownOptions(what, ['task'], 'the first argument of schedule()')
      : { handler: what };
    const given = withTask<GivenJob>({ ...options, ...first });
    return this.creator.create(
      given,
      createdTrigger(given, await this.time.now(access.jobs), 'schedule()'),
      access,
    );
  }

  async upsert(said: GivenJob, access: JobAccess): Promise<UpsertResult> {
    const given = withTask(said);
    if (given?.id === undefined) throw new EmptyJobIdError('upsert() needs the id of the job.');
    if (given.onConflict !== undefined && given.onConflict !== 'replace') {
      throw new InvalidOptionError('onConflict', 'upsert() always replaces; leave it out.');
    }
    const options: GivenJob = { ...given, onConflict: 'replace' };
    const trigger = createdTrigger(options, await this.time.now(access.jobs), 'upsert()');
    const result = await this.creator.createOr(options, trigger, access);
    return result as UpsertResult;
  }

  async many(
    items: readonly GivenJob[],
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
    if (items.some(hasAfter)) return this.together(items, onConflict, access);
    const checker = new BulkChecker(this.creator, onConflict, await this.time.now(access.jobs), access);
    const results: (CreateManyResult | undefined)[] = items.map(() => undefined);
    const underWay: Portion[] = [];
    let lost: CreateManyResult | undefined;
    for (let start = 0; start < items.length; start += itemsPerPortion) {
      const checked = await this.checked(checker, items.slice(start, start + itemsPerPortion), access);
      const ids = givenIds(checked);
      // Of the same id the first is to be stored first.
      while (underWay.length === mostUnderWay || underWay.some((portion) => isShared(portion.ids, ids))) {
        await underWay.shift()!.written;
      }
      // Each further call would wait for the same storage.
      if (lost) break;
      const written = this.store(checked, access).then((stored) => {
        for (let nth = 0; nth < stored.length; nth++) results[start + nth] = stored[nth]!;
        lost ??= stored.find(isLost);
      });
      underWay.push({ ids, written });
    }
    await Promise.all(underWay.map(({ written }) => written));
    return results.map((result) => result ?? lost!);
  }

  /** Jobs of which some wait for others: all of them are stored, or none. */
  private async together(
    items: readonly GivenJob[],
    onConflict: ConflictPolicy,
    access: JobAccess,
  ): Promise<CreateManyResult[]> {
    assertTogether(items, onConflict);
    const now = await this.time.now(access.jobs);
    const checked = await new BulkChecker(this.creator, onConflict, now, access).check(items, now);
    const jobs = checked.map((item) => {
      if ('job' in item) return item.job;
      throw item.error;
    });
    assertNoCycle(jobs);
    const results = await this.creator.tracing.storing(jobs, () => access.jobs.insertJobs(jobs, onConflict));
    tellDue(access, jobs);
    return results.map((result, nth) => resultOf(result, { job: jobs[nth]!, onConflict }));
  }

  private async checked(
    checker: BulkChecker,
    items: readonly GivenJob[],
    { jobs }: JobAccess,
  ): Promise<readonly Checked[]> {
    try {
      return await checker.check(items, await this.time.now(jobs));
    } catch (error) {
      return items.map(() => ({ status: 'rejected', error }));
    }
  }

  /** Does not reject. */
  private async store(checked: readonly Checked[], access: JobAccess): Promise<CreateManyResult[]> {
    const results = await this.replacedInPlace(checked, access);
    const open = results.filter((result) => 'onConflict' in result);
    const jobs = open.map(({ job }) => job);
    const inserted = (await this.creator.tracing.storing(jobs, () => access.insertAll(open))).values();
    tellDue(
      access,
      checked.flatMap((item) => ('job' in item ? item.job : [])),
    );
    return results.map((result) =>
      'onConflict' in result ? resultOf(inserted.next().value!, result) : result,
    );
  }

  /**
   * What became of each item so far, or how it is to be inserted. Of an id that is there several times the last is to stay, so the storage decides in their
   * order.
   */
  private async replacedInPlace(
    checked: readonly Checked[],
    access: JobAccess,
  ): Promise<readonly (CreateManyResult | Insertion)[]> {
    const isAny = checked.some((item) => 'job' in item && item.onConflict === 'replace');
    if (!isAny) return checked;
    const times = new Map<string, number>();
    for (const item of checked) {
      if ('job' in item) times.set(refKey(item.job), (times.get(refKey(item.job)) ?? 0) + 1);
    }
    return Promise.all(
      checked.map(async (item): Promise<CreateManyResult | Insertion> => {
        if (!('job' in item)) return item;
        if (times.get(refKey(item.job)) !== 1) return item;
        try {
          return (await replaceInPlace(access, item, this.creator.calendars)) as CreateManyResult | Insertion;
        } catch (error) {
          return { status: 'rejected', error };
        }
      }),
    );
  }
}

/** Items that are being written. */
interface Portion {
  ids: ReadonlySet<string>;
  written: Promise<void>;
}

/** Those that somebody else may have too. */
function givenIds(checked: readonly Checked[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const item of checked) if ('job' in item && !item.job.newId) ids.add(refKey(item.job));
  return ids;
}

function isShared(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const id of others) if (some.has(id)) return true;
  return false;
}

function resultOf(inserted: Inserted, { job }: Insertion): CreateManyResult {
  if (inserted.status !== 'conflict') return inserted;
  return { status: 'rejected', error: new JobAlreadyExistsError(job.id, job.namespace) };
}

function isLost(result: CreateManyResult): boolean {
  return result.status === 'rejected' && isOf(result.error, StorageError);
}

/** `schedule` takes the handler before the options. */
function assertFirst(handler: unknown, options: unknown): void {
  const order = "schedule() takes the handler first, then the options: schedule('work', { in: '5m' }).";
  const isWhat = isReference(handler) || isTask(handler);
  if ((handler ?? null) === null || (typeof handler === 'object' && !isWhat)) {
    throw new InvalidOptionError('handler', `is ${described(handler)}, but ${order}`);
  }
  const { handler: again, task } = (options ?? {}) as { handler?: unknown; task?: unknown };
  if ((again ?? undefined) !== undefined && again !== handler) {
    throw new InvalidOptionError('handler', `is given twice. Leave it out of the options; ${order}`);
  }
  if (task === undefined) return;
  const first = "schedule() takes it first: schedule({ task: { type, … } }, { in: '5m' }).";
  throw new InvalidOptionError('task', `is among the options, but ${first}`);
}

function isTask(given: unknown): given is TaskOption {
  return typeof given === 'object' && given !== null && 'task' in given;
}
