import type { Policies } from '../model/policies.js';
import type { InstantInput } from '../model/trigger.js';
import type { NewJob } from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import { parseAt } from '../triggers/instant.js';
import { apiJob } from './api.job.js';
import type { GivenJob } from './create.options.js';
import { isReference } from './handler.reference.js';
import { metadataOf, payloadOf, type JobDefaults } from './job.definition.js';
import { assertJobId } from './job.identity.js';
import { newJobId } from './new.job.id.js';

type Given = Readonly<Record<string, unknown>>;

/**
 * A one-off that was checked, as the pattern of others that differ from it in nothing but `id`, `at` or `in`, `payload` and `metadata`. Who creates very many jobs mostly
 * says the same of all of them, and checking that again and again would take longer than storing them.
 */
export class OneOffPattern {
  private latest: { at: number; text: string } = { at: NaN, text: '' };
  private readonly policies: string;

  private constructor(
    private readonly given: Given,
    private readonly common: number,
    private readonly job: NewJob,
    private readonly defaults: JobDefaults,
    /** Whether each payload has a schema to fit. */
    readonly checksPayload: boolean,
  ) {
    this.policies = JSON.stringify(job.policies);
  }

  /** `job`: what `item` came to. Null: it is not one to go by. */
  static of(
    item: GivenJob,
    job: NewJob,
    defaults: JobDefaults,
    checksPayload: boolean,
  ): OneOffPattern | null {
    const { handler, refusePast } = item;
    // Metadata of the reference would have to be put together with that of each item.
    const hasMetadata = isReference(handler) && handler.defaults.metadata !== undefined;
    const common = commonKeys(item, { ...item });
    if (job.trigger.type !== 'at' || refusePast || hasMetadata || common === null) return null;
    return new OneOffPattern({ ...item } as Given, common, job, defaults, checksPayload);
  }

  fits(item: unknown): item is GivenJob {
    return commonKeys(item, this.given) === this.common;
  }

  /** The job that `item` comes to, which has to fit. Throws InvalidJobIdError, InvalidScheduleError, InvalidPayloadError, InvalidOptionError. */
  jobOf(item: GivenJob, now: number): NewJob {
    const { job, defaults } = this;
    const { id, in: delay, payload, metadata } = item;
    const delayMs = delay === undefined ? null : parseDelay(delay, 'in');
    const instant =
      delayMs === null ? parseAt(item.at as InstantInput, job.timeZone).getTime() : Math.trunc(now + delayMs);
    return apiJob(job, job.app, {
      id: id === undefined ? newJobId(now) : assertJobId(id),
      trigger: { type: 'at', at: this.textOf(instant), timeZone: job.timeZone },
      payload:
        (payload ?? null) === null ? null : payloadOf(payload, defaults, this.checksPayload, job.handler),
      metadata: (metadata ?? null) === null ? {} : metadataOf(metadata, defaults),
      policies: this.policies === '{}' ? {} : (JSON.parse(this.policies) as Partial<Policies>),
      nextAt: delayMs === 0 ? null : instant,
      newId: id === undefined,
    });
  }

  /** Many are due at the same time, such as now. */
  private textOf(at: number): string {
    if (at !== this.latest.at) this.latest = { at, text: new Date(at).toISOString() };
    return this.latest.text;
  }
}

/** How many options an item has that a pattern and what is made after it have in common. Null: it does not fit, or something about it is out of the ordinary. */
function commonKeys(item: unknown, pattern: Given): number | null {
  if (typeof item !== 'object' || item === null || Object.getPrototypeOf(item) !== Object.prototype)
    return null;
  const given = item as Given;
  let common = 0;
  let times = 0;
  for (const key in given) {
    switch (key) {
      case 'id':
      case 'payload':
      case 'metadata':
        break;
      case 'at':
      case 'in':
        if (given[key] === undefined || given[key] === null) return null;
        times++;
        break;
      default:
        // What is undefined may not be an option at all.
        if (given[key] === undefined || given[key] !== pattern[key]) return null;
        common++;
    }
  }
  return times === 1 ? common : null;
}
