import { ChronisError, DuplicateJobError, InvalidOptionError } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { JobOptions } from '../model/job.options.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { HandlerDirectory } from '../scheduler/handler.directory.js';
import { handlerUses } from '../scheduler/handler.uses.js';
import { defineJob, jobOptionKeys, type JobDefaults } from '../scheduler/job.definition.js';
import { refKey } from '../scheduler/job.identity.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { scheduledTrigger } from '../scheduler/schedule.options.js';
import { timingKeys } from '../scheduler/trigger.options.js';
import { withTask } from '../tasks/task.option.js';
import { localRemarks } from '../triggers/local.remark.js';
import { prefixMessage } from './declaration.reader.js';
import type { DeclaredJob } from './declared.job.js';
import { listedHash, type ListPart } from './listed.hash.js';

/** All that a job of a list may say. */
const listedKeys: readonly string[] = [
  ...jobOptionKeys,
  'handler',
  ...['at', 'every', 'cron'],
  ...new Set([...timingKeys.at, ...timingKeys.interval, ...timingKeys.cron]),
];

const hints = {
  in: 'A list is read again and again, so a delay has no begin. Give the time: "at".',
  after: 'What waits for other jobs is created at run time, by createMany().',
  app: 'Jobs of a list are run by the app of the processes that read it.',
};

/** A job of a list that was found to be in order. @publicApi */
export class ListedJob implements JobRef {
  readonly namespace: string;
  readonly id: string;

  constructor(
    /** @internal */
    readonly declared: DeclaredJob,
  ) {
    this.namespace = declared.definition.namespace;
    this.id = declared.definition.id;
  }
}

/** What lists are checked with. */
export interface ListedJobParts {
  directory: HandlerDirectory;
  defaults: JobDefaults;
  clock: Clock;
  storage: StorageAdapter;
  /** What the code declares. */
  declared: () => readonly DeclaredJob[];
  /** What another list than this one declares under the id. */
  ofOthers: (ref: JobRef, list: string) => DeclaredJob | undefined;
}

/** Checks what lists say, as jobs are checked that are created at run time. */
export class ListedJobs {
  constructor(private readonly parts: ListedJobParts) {}

  /** Rejects with what is wrong; `place`, where the job is, is named in the message. */
  async read(options: Readonly<Record<string, unknown>>, from: ListPart, place: string): Promise<ListedJob> {
    try {
      return new ListedJob(await this.declare(options, from, place));
    } catch (error) {
      if (error instanceof ChronisError) prefixMessage(error, `${place}: `);
      throw error;
    }
  }

  private async declare(
    options: Readonly<Record<string, unknown>>,
    from: ListPart,
    place: string,
  ): Promise<DeclaredJob> {
    const { directory, defaults, clock, storage } = this.parts;
    const now = clock.now();
    const given = knownOptions(withTask(options), listedKeys, 'a job of a list', hints);
    const { id, handler } = given as { id: string; handler: string };
    if (id === undefined) throw new InvalidOptionError('id', 'is missing. Jobs of a list need one.');
    if (handler === undefined)
      throw new InvalidOptionError(
        'handler',
        'is missing. Give the name of a handler, or a task: { task: { type, … } }.',
      );
    const hasSchema = directory.schemasOf({ app: directory.app, handler }, null).length > 0;
    const trigger = scheduledTrigger(given, now, 'a job of a list');
    const input = { id, handler, trigger, options: given as JobOptions, hasSchema };
    const definition = defineJob(input, defaults, now);
    this.assertFree(definition, from, place);
    const { app } = directory;
    if (!directory.allowsUnknown) {
      for (const use of handlerUses({ ...definition, app }, given))
        await directory.assertKnown(use, now, storage);
    }
    directory.assertTriable({ ...definition, app });
    await directory.assertFits({ ...definition, app }, null);
    const remarks = localRemarks(given.at, definition.timeZone);
    return { definition, hash: listedHash(from, definition), previousIds: [], place, list: from, remarks };
  }

  private assertFree(ref: JobRef, { list }: ListPart, place: string): void {
    const { declared, ofOthers } = this.parts;
    const other = declared().find(({ definition }) => refKey(definition) === refKey(ref));
    if (other !== undefined) throw new DuplicateJobError(ref.id, other.place, place);
    const listed = ofOthers(ref, list);
    if (listed === undefined) return;
    throw new DuplicateJobError(
      ref.id,
      `${listed.place} of ${listed.list!.list}`,
      `${place} of ${list}`,
      'lists',
    );
  }
}
