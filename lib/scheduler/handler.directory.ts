import type { HandlerRegistry } from '../engine/handler.registry.js';
import { HandlerNotFoundError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { assertPayload } from './payload.assertion.js';

const rememberedForMs = 5_000;

/** Which handlers there are, in this process and in the live workers of others, and which payloads they take. */
export class HandlerDirectory {
  private remote: ReadonlySet<string> = new Set();
  private askedAt: number | null = null;

  constructor(
    private readonly local: HandlerRegistry,
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
  ) {}

  /** Throws HandlerNotFoundError when nobody has the handler. `now` is the storage's time. */
  async assertKnown(handler: string, now: number): Promise<void> {
    if (this.local.has(handler)) return;
    const fresh = this.askedAt !== null && this.clock.monotonic() - this.askedAt < rememberedForMs;
    if (fresh && this.remote.has(handler)) return;
    await this.ask(now);
    if (this.remote.has(handler)) return;
    throw new HandlerNotFoundError(handler, [...new Set([...this.local.names(), ...this.remote])].toSorted());
  }

  /** Those of this process and of all live ones. */
  async known(): Promise<ReadonlySet<string>> {
    await this.ask(await this.storage.now());
    return new Set([...this.local.names(), ...this.remote]);
  }

  private async ask(now: number): Promise<void> {
    const workers = await this.storage.queryWorkers();
    const live = workers.filter((worker) => worker.leaseUntil.getTime() > now);
    this.remote = new Set(live.flatMap((worker) => worker.handlers));
    this.askedAt = this.clock.monotonic();
  }

  /**
   * Throws InvalidPayloadError when the payload does not fit the schema that came with the reference, or that of the handler in this process. All
   * that creates or changes a job asks here before it stores anything.
   */
  async assertFits(
    job: { handler: string; payload: JsonValue },
    ofReference: PayloadSchema | null,
  ): Promise<void> {
    for (const schema of this.schemasOf(job.handler, ofReference)) await assertPayload(schema, job);
  }

  /** What payloads are checked with. */
  schemasOf(handler: string, ofReference: PayloadSchema | null): PayloadSchema[] {
    const own = this.local.get(handler)?.schema ?? null;
    return [...new Set([ofReference, own])].filter((schema) => schema !== null);
  }
}
