import type { TriggerInput } from '../model/trigger.js';
import type { ConflictPolicy } from '../ports/storage.adapter.js';
import type { GivenJob } from './create.options.js';
import type { HandlerUse } from './handler.uses.js';
import { withTask } from '../tasks/task.option.js';
import type { JobAccess } from './job.access.js';
import type { JobCreator } from './job.creator.js';
import type { Insertion } from './job.inserter.js';
import type { OneOffPattern } from './one.off.pattern.js';
import { createdTrigger } from './schedule.options.js';

/** What an item of `createMany` comes to: a job to be stored, or an error of its own. `trigger`: the schedule as it was given. */
export type Checked = (Insertion & { trigger: TriggerInput }) | { status: 'rejected'; error: unknown };

/** Checks the items of one call of `createMany`. */
export class BulkChecker {
  private readonly known = new Map<string, Promise<void>>();

  constructor(
    private readonly creator: JobCreator,
    /** For items that do not say it themselves. */
    private readonly onConflict: ConflictPolicy,
    private readonly begunAt: number,
    private readonly access: Pick<JobAccess, 'jobs'>,
  ) {}

  /** In their order. Does not reject. */
  async check(items: readonly GivenJob[], now: number): Promise<Checked[]> {
    const checked: Checked[] = [];
    let pattern: OneOffPattern | null = null;
    for (const given of items) {
      try {
        const item = withTask(given);
        if (pattern?.fits(item)) {
          const job = pattern.jobOf(item, now);
          // Only where there is something to wait for: each wait takes as long as all the rest.
          if (pattern.checksPayload) await this.creator.admit(job, item, this.assertKnown);
          checked.push({ job, trigger: job.trigger, onConflict: item.onConflict ?? this.onConflict });
          continue;
        }
        const trigger = createdTrigger(item, now, 'an item of createMany()');
        const options = { ...item, onConflict: item.onConflict ?? this.onConflict };
        const job = this.creator.define(options, trigger, now);
        await this.creator.admit(job, options, this.assertKnown);
        checked.push({ job, trigger, onConflict: options.onConflict });
        pattern = this.creator.patternOf(item, job);
      } catch (error) {
        checked.push({ status: 'rejected', error });
      }
    }
    return checked;
  }

  /** Each handler is looked up once, also one that nobody has. */
  private readonly assertKnown = (use: HandlerUse): Promise<void> => {
    const key = JSON.stringify(Object.values(use));
    let answer = this.known.get(key);
    if (!answer) this.known.set(key, (answer = this.creator.assertKnown(use, this.begunAt, this.access)));
    return answer;
  };
}
