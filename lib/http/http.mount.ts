import type { ServerResponse } from 'node:http';
import { Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import {
  InvalidOptionError,
  type Actor,
  type Clock,
  type DefinitionService,
  type Redactor,
  type SchedulerService,
  type StorageAdapter,
  type WorkflowService,
} from '../index.js';
import type { BulkActions } from './bulk.actions.js';
import { assertAdmitted } from './door.js';
import { assertAccess, assertMayDo } from './http.access.js';
import type { HttpSettings, HttpUser } from './http.options.js';
import type { LiveChanges, Topic } from './live.changes.js';
import { streamType } from './live.stream.js';
import { HttpProblem, problemOf } from './problem.js';
import { onceByKey } from './repetition.js';
import { redacted, redactedProblem, redactionOf, type Redact } from './redaction.js';
import {
  headerOf,
  queryOf,
  readBody,
  readIdempotencyKey,
  readQuery,
  readRevision,
  type PlatformRequest,
} from './request.reader.js';
import { jsonOf } from './stored.json.js';
import { changes, isShared, neededFor, type Answer, type Call, type Route } from './route.js';
import { etagOf, isKnown, questionOf, SharedAnswers } from './shared.answers.js';

/** What a module is made of. */
export interface MountParts {
  scheduler: SchedulerService;
  workflows: WorkflowService;
  definitions: DefinitionService;
  clock: Clock;
  storage: StorageAdapter;
  adapterHost: HttpAdapterHost;
  modules: ModulesContainer;
  live: LiveChanges;
  bulk: BulkActions;
  redactor: Redactor;
}

/** Where a module is, and who guards it. */
export interface MountPlace {
  /** Of its own routes, and of those that are called as elsewhere. */
  paths: readonly string[];
  isGuarded: boolean;
}

/** What of Fastify's is needed to answer for longer. */
interface FastifyReply {
  hijack(): unknown;
  getHeaders(): Record<string, unknown>;
  raw: ServerResponse;
}

/** Nobody knows who it was. */
const anonymous = 'anonymous';

/** Serves the requests of one module: admits, reads, has the route do it, and answers. Whatever is wrong becomes a problem. */
export class HttpMount implements OnModuleInit, BeforeApplicationShutdown {
  private readonly log = new Logger('ChronisHttp');
  private readonly redact: Redact;
  /** null: each request asks. */
  private readonly shared: SharedAnswers | null;

  constructor(
    private readonly parts: MountParts,
    readonly place: MountPlace,
    private readonly settings: HttpSettings,
  ) {
    this.redact = redactionOf(parts.redactor, settings.redact);
    this.shared = settings.sharedMs === null ? null : new SharedAnswers(parts.clock, settings.sharedMs);
    parts.live.onChange(() => this.shared?.clear());
  }

  /** Throws InvalidOptionError: nobody guards it, and it is production; or another module has the path. */
  onModuleInit(): void {
    if (!this.place.isGuarded && process.env.NODE_ENV === 'production') {
      throw new InvalidOptionError(
        'guards',
        "ChronisHttpModule has none, and in production (NODE_ENV) everybody could change all jobs. Give them: forRoot({ guards: [AuthGuard] }); or guards: 'app' where global guards of the application protect all of its routes.",
      );
    }
    const mounts = [...this.parts.modules.values()].flatMap(({ providers }) =>
      [...providers.values()].flatMap(({ instance }) => (instance instanceof HttpMount ? [instance] : [])),
    );
    const others = mounts.filter((other) => other !== this).flatMap(({ place }) => place.paths);
    const path = this.place.paths.find((own) => others.includes(own));
    if (path !== undefined)
      throw new InvalidOptionError(
        'path',
        `Two ChronisHttpModules have the path "${path}". Give each a path of its own.`,
      );
  }

  beforeApplicationShutdown(): void {
    this.shared?.clear();
  }

  async serve(route: Route, request: PlatformRequest, response: unknown): Promise<void> {
    const { isGuarded } = this.place;
    const { readOnly, origins } = this.settings;
    const known = isShared(route) ? headerOf(request, 'if-none-match') : null;
    // What is said of it here is enough. The ETag of a job is its revision: its state changes without that.
    delete request.headers['if-none-match'];
    try {
      assertAdmitted(route, request, { isLocal: !isGuarded, readOnly, origins });
      const { call, actor } = await this.callOf(route, request);
      const work = () => this.handled(route, call);
      const answer = await onceByKey(route, call, actor, this.parts.scheduler, work);
      if (route.isStream && request.method !== 'HEAD') return this.stream(response, call.tenant);
      const ofStream = route.isStream && { headers: { 'Content-Type': streamType } };
      this.answer(response, { ...answer, ...ofStream }, route, known);
    } catch (error) {
      this.refuse(response, error);
    }
  }

  /** Answers with the problem. */
  refuse(response: unknown, error: unknown): void {
    const { problem, headers, isUnexpected } = problemOf(error);
    if (isUnexpected) this.log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const shown = redactedProblem(problem, this.parts.redactor);
    this.reply(response, JSON.stringify(shown), problem.status, {
      ...headers,
      'Content-Type': 'application/problem+json; charset=utf-8',
    });
  }

  /** What only looks does not keep the database busy for as long as others may, and is looked for once for all who ask the same. */
  private async handled(route: Route, call: Call): Promise<Answer> {
    const { storage } = this.parts;
    const work = async (): Promise<Answer> => route.handle(call);
    if (changes(route)) return this.changed(route, call, work);
    const { readTimeoutMs } = this.settings;
    const look = storage.reading === undefined ? work : () => storage.reading!(readTimeoutMs, work);
    return this.shared !== null && isShared(route) ? this.shared.of(questionOf(route, call), look) : look();
  }

  /** Whoever asks after it sees it, also where it has failed: some of it may be done. */
  private async changed(route: Route, call: Call, work: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await work();
      this.noteChange(route, call);
      return answer;
    } finally {
      this.shared?.clear();
    }
  }

  private async callOf(route: Route, request: PlatformRequest): Promise<{ call: Call; actor: Actor | null }> {
    const { settings, parts } = this;
    const access: unknown = await settings.access(request);
    assertAccess(access);
    // Before anything else of the request is looked at.
    assertMayDo(access, neededFor(route, request.body));
    const by = await this.userOf(request);
    const tenant = await this.tenantOf(route, request);
    const body = readBody(route, request.body);
    const call: Call = {
      scheduler: tenant === null ? parts.scheduler : parts.scheduler.forTenant(tenant),
      workflows: tenant === null ? parts.workflows : parts.workflows.forTenant(tenant),
      definitions: tenant === null ? parts.definitions : parts.definitions.forTenant(tenant),
      storage: parts.storage,
      clock: parts.clock,
      process: parts.scheduler,
      bulk: parts.bulk,
      prune: async (olderThan) => ({
        dags: await parts.workflows.prune({ olderThan }),
        definitions: await parts.definitions.prune({ olderThan }),
      }),
      tenant,
      by,
      params: request.params ?? {},
      query: readQuery(route, queryOf(request)),
      body,
      expectedRevision: readRevision(route, request),
      idempotencyKey: readIdempotencyKey(route, request),
    };
    return { call, actor: changes(route) ? this.actorOf(call, request) : null };
  }

  /** null: nobody is asked who it is. */
  private async userOf(request: PlatformRequest): Promise<string | null> {
    const { user } = this.settings;
    if (user === null || user === undefined) return null;
    const found: HttpUser | null | undefined = await user(request);
    if (found === null || found === undefined)
      throw new HttpProblem(401, 'http.no-user', 'Nobody knows who asks.');
    if (typeof found.id === 'string' && found.id.trim() !== '') return found.id;
    throw new Error('The option "user" of ChronisHttpModule must give { id } with a text, or null.');
  }

  /** Who is confined to a tenant sees nothing of the others, by whatever the application's code may forget to say. */
  private async tenantOf(route: Route, request: PlatformRequest): Promise<string | null> {
    const { tenant } = this.settings;
    if (tenant === null || tenant === undefined) return null;
    const found: unknown = await tenant(request);
    if (found === null) return null;
    if (typeof found !== 'string')
      throw new Error('The option "tenant" of ChronisHttpModule must give a text, or null for all tenants.');
    if (route.ofAll !== undefined)
      throw new HttpProblem(403, 'http.not-of-a-tenant', 'This is about all tenants together.');
    return found;
  }

  private actorOf({ by, body }: Call, request: PlatformRequest): Actor | null {
    const note = body.note as string | undefined;
    const isKept = this.parts.storage.queryAudit !== undefined;
    if (by === null && !isKept) {
      if (note === undefined) return null;
      throw new InvalidOptionError('note', 'cannot be kept: this storage has no record of who has asked.');
    }
    const requestId = headerOf(request, 'x-request-id');
    return {
      by: by ?? anonymous,
      ...(note !== undefined && { note }),
      ...(requestId !== null && { requestId }),
    };
  }

  private noteChange(route: Route, { tenant, query, params }: Call): void {
    const { namespace = params.namespaceId ?? 'default' } = query as { namespace?: string };
    const topic = route.topic ?? (route.path.slice(0, `${route.path}/`.indexOf('/')) as Topic);
    this.parts.live.note(topic, tenant === null ? namespace : `tenant:${tenant}`);
  }

  /** The response is taken out of the hands of the platform. */
  private stream(response: unknown, tenant: string | null): void {
    const { live } = this.parts;
    live.assertRoom();
    const reply = response as Partial<FastifyReply>;
    if (reply.hijack === undefined || reply.raw === undefined) {
      live.join(response as ServerResponse, tenant, {});
      return;
    }
    const headers = reply.getHeaders?.() ?? {};
    reply.hijack();
    live.join(reply.raw, tenant, headers);
  }

  private answer(
    response: unknown,
    { status, headers, body }: Answer,
    route: Route,
    /** What the client has. */
    known: string | null,
  ): void {
    const shown = redacted(body, this.redact);
    const text = body === undefined ? undefined : jsonOf(shown);
    const etag = text !== undefined && isShared(route) ? etagOf(text) : null;
    if (etag !== null && isKnown(etag, known)) return this.reply(response, undefined, 304, { ETag: etag });
    this.reply(response, text, status ?? route.status, {
      ...(body !== undefined && { 'Content-Type': 'application/json; charset=utf-8' }),
      ...(etag !== null && { ETag: etag }),
      ...headers,
    });
  }

  private reply(
    response: unknown,
    text: string | undefined,
    status: number,
    headers: Readonly<Record<string, string>>,
  ): void {
    const { httpAdapter } = this.parts.adapterHost;
    const all = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...headers };
    for (const [name, value] of Object.entries(all)) httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, text, status);
  }
}
