import type { HandlerRegistry } from '../engine/handler.registry.js';
import { HandlerNotFoundError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { assertPayload } from './payload.assertion.js';

const rememberedForMs = 5_000;

/** Which handlers each app has, in this process and in the live workers of others, and which payloads those of this process take. */
export class HandlerDirectory {
  private remote: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  private askedAt: number | null = null;

  constructor(
    private readonly local: HandlerRegistry,
    /** Whose handlers those of this process are. */
    readonly app: string,
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
  ) {}

  /** Throws HandlerNotFoundError when nobody in the app has the handler. `now` is the storage's time. */
  async assertKnown(handler: string, app: string, now: number): Promise<void> {
    if (app === this.app && this.local.has(handler)) return;
    const fresh = this.askedAt !== null && this.clock.monotonic() - this.askedAt < rememberedForMs;
    if (fresh && this.remote.get(app)?.has(handler)) return;
    await this.ask(now);
    if (this.remote.get(app)?.has(handler)) return;
    const elsewhere = this.appsWith(handler).filter((other) => other !== app);
    const named = app === this.app ? null : app;
    throw new HandlerNotFoundError(handler, [...this.knownTo(app)].toSorted(), named, elsewhere);
  }

  /** Those of this process and of all live ones of its app. */
  async known(): Promise<ReadonlySet<string>> {
    await this.ask(await this.storage.now());
    return this.knownTo(this.app);
  }

  private knownTo(app: string): ReadonlySet<string> {
    return new Set([...(app === this.app ? this.local.names() : []), ...(this.remote.get(app) ?? [])]);
  }

  private appsWith(handler: string): string[] {
    const apps = [...this.remote].flatMap(([app, handlers]) => (handlers.has(handler) ? app : []));
    return this.local.has(handler) ? [this.app, ...apps] : apps;
  }

  private async ask(now: number): Promise<void> {
    const remote = new Map<string, Set<string>>();
    for (const { app, handlers, leaseUntil } of await this.storage.queryWorkers()) {
      if (leaseUntil.getTime() <= now) continue;
      remote.set(app, new Set([...(remote.get(app) ?? []), ...handlers]));
    }
    this.remote = remote;
    this.askedAt = this.clock.monotonic();
  }

  /**
   * Throws InvalidPayloadError when the payload does not fit the schema that came with the reference, or that of the handler in this process, if it is of
   * the app. All that creates or changes a job asks here before it stores anything.
   */
  async assertFits(
    job: { app: string | null; handler: string; payload: JsonValue },
    ofReference: PayloadSchema | null,
  ): Promise<void> {
    for (const schema of this.schemasOf(job, ofReference)) await assertPayload(schema, job);
  }

  /** What payloads are checked with. */
  schemasOf(
    { app, handler }: { app: string | null; handler: string },
    ofReference: PayloadSchema | null,
  ): PayloadSchema[] {
    const isOwn = app === null || app === this.app;
    const own = (isOwn && this.local.get(handler)?.schema) || null;
    return [...new Set([ofReference, own])].filter((schema) => schema !== null);
  }
}
