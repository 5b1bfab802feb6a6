import { opensFlows } from '../engine/flow.opening.js';
import { isOwnHandler } from '../engine/own.handlers.js';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import { HandlerNotFoundError, UnknownTaskError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { Policies } from '../model/policies.js';
import type { JobStore, StorageAdapter } from '../ports/storage.adapter.js';
import { nearestName } from '../model/nearest.name.js';
import { taskTypeOf } from '../model/task.js';
import type { HandlerUse } from './handler.uses.js';
import { assertPayload } from './payload.assertion.js';
import { refuseRetries } from './workflow.job.retries.js';

type HandlersOfApps = ReadonlyMap<string, ReadonlySet<string>>;

/** What a directory works with. */
export interface DirectoryParts {
  local: HandlerRegistry;
  /** Whose handlers those of this process are. */
  app: string;
  storage: StorageAdapter;
  /** Whether this process runs jobs, or is about to: then it knows what its app has. */
  works: () => boolean;
  /** Whether handlers that nobody has are accepted where the job does not say. */
  allowsUnknown: boolean;
}

interface TriedJob {
  app: string | null;
  handler: string;
  policies: Partial<Policies>;
  payload: JsonValue;
}

/**
 * Which handlers each app has, in this process and in the workers of others, and which payloads those of this process take.
 *
 * Who creates a job must not depend on who works at the moment: a handler is known as soon as any worker has had it, whether or not one lives. A process that does not run jobs itself
 * also believes a reference, which cannot be misspelt, as the worker that will have it may not have been deployed yet.
 */
export class HandlerDirectory {
  readonly app: string;
  readonly allowsUnknown: boolean;
  private live: HandlersOfApps = new Map();
  /** In live workers and in those of before. */
  private ever: HandlersOfApps = new Map();

  constructor(private readonly parts: DirectoryParts) {
    this.app = parts.app;
    this.allowsUnknown = parts.allowsUnknown;
  }

  /** Throws HandlerNotFoundError, or UnknownTaskError, when nobody in the app has, or has had, the handler. `now` is the storage's time; `by`: whom it asks if it has to, within a transaction that one's own. */
  async assertKnown(
    { handler, app, isReference, usedBy = null, isWorkflow = false }: HandlerUse,
    now: number,
    by: Pick<JobStore, 'queryWorkers'>,
  ): Promise<void> {
    const isOwn = app === this.app;
    if (this.knows({ handler, app })) return;
    if (isReference && !(isOwn && this.parts.works())) return;
    await this.ask(now, by);
    if (this.ever.get(app)?.has(handler)) return;
    const elsewhere = this.appsWith(handler).filter((other) => other !== app);
    const askedIn = isOwn ? null : app;
    const all = [...this.knownTo(app)].toSorted();
    const type = taskTypeOf(handler);
    if (type !== null) {
      const types = all.map(taskTypeOf).filter((each) => each !== null);
      throw new UnknownTaskError(type, types, askedIn, elsewhere, nearestName(type, types), usedBy);
    }
    const known = all.filter((name) => taskTypeOf(name) === null);
    // Of a method by its name alone, the one with its class.
    const meant = known.find((name) => name.endsWith(`.${handler}`)) ?? nearestName(handler, known);
    throw new HandlerNotFoundError(handler, known, askedIn, elsewhere, meant, usedBy, isWorkflow);
  }

  /** Whether it is known without asking others: what was known once stays so. */
  knows({ handler, app }: Pick<HandlerUse, 'handler' | 'app'>): boolean {
    return (app === this.app && this.parts.local.has(handler)) || this.ever.get(app)?.has(handler) === true;
  }

  /** Those of this process and of all live ones of its app. */
  async known(): Promise<ReadonlySet<string>> {
    const { storage } = this.parts;
    await this.ask(await storage.now(), storage);
    return this.knownTo(this.app);
  }

  private knownTo(app: string): ReadonlySet<string> {
    const ofWorkers = [...(this.live.get(app) ?? this.ever.get(app) ?? [])];
    return new Set([
      ...(app === this.app ? this.parts.local.names() : []),
      ...ofWorkers.filter((name) => !isOwnHandler(name)),
    ]);
  }

  private appsWith(handler: string): string[] {
    const apps = [...this.live].flatMap(([app, handlers]) => (handlers.has(handler) ? app : []));
    return this.parts.local.has(handler) ? [this.app, ...apps] : apps;
  }

  private async ask(now: number, by: Pick<JobStore, 'queryWorkers'>): Promise<void> {
    const workers = await by.queryWorkers();
    this.ever = handlersOf(workers);
    this.live = handlersOf(workers.filter(({ leaseUntil }) => leaseUntil.getTime() > now));
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

  /** Throws InvalidOptionError (maxRetries) where the handler is a workflow of this process, or one that is data, of whatever app: as a whole none is tried again. */
  assertTriable({ app, handler, policies, payload }: TriedJob): void {
    if (isOwnHandler(handler)) {
      // What a start has made of it says which one it is.
      const { definition } = { definition: handler, ...(payload as { definition?: string } | null) };
      return refuseRetries(definition, policies, 'those of its definition have "maxRetries"');
    }
    const isOwn = app === null || app === this.app;
    const rules = isOwn ? this.parts.local.get(handler)?.rules : undefined;
    if (rules !== undefined && opensFlows(rules)) refuseRetries(handler, policies);
  }

  /** What payloads are checked with. */
  schemasOf(
    { app, handler }: { app: string | null; handler: string },
    ofReference: PayloadSchema | null,
  ): PayloadSchema[] {
    const isOwn = app === null || app === this.app;
    const own = (isOwn && this.parts.local.get(handler)?.schema) || null;
    return [...new Set([ofReference, own])].filter((schema) => schema !== null);
  }
}

function handlersOf(workers: readonly { app: string; handlers: readonly string[] }[]): HandlersOfApps {
  const ofApps = new Map<string, Set<string>>();
  for (const { app, handlers } of workers) {
    const known = ofApps.get(app) ?? new Set();
    ofApps.set(app, known);
    for (const handler of handlers) known.add(handler);
  }
  return ofApps;
}
