import type {
  AuditEntry,
  Clock,
  DurationInput,
  StorageAdapter,
  TenantDefinitions,
  TenantScheduler,
  TenantWorkflows,
} from '../index.js';
import type { BulkActions } from './bulk.actions.js';
import type { HttpAction } from './http.access.js';
import type { Topic } from './live.changes.js';
import type { Schema } from './schema.js';

/** A request, as far as a route sees it: checked against what the route says that it takes. */
export interface Call {
  /** Of the tenant, where there is one. */
  readonly scheduler: TenantScheduler;
  readonly workflows: TenantWorkflows;
  readonly definitions: TenantDefinitions;
  readonly storage: StorageAdapter;
  readonly clock: Clock;
  readonly process: ProcessCalls;
  readonly bulk: BulkActions;
  /** What was over, or deleted, so long ago goes into the history. Of all tenants. */
  readonly prune: (olderThan: DurationInput) => Promise<{ dags: number; definitions: number }>;
  /** null: the caller is not confined to one. */
  readonly tenant: string | null;
  /** Who asks; null: nobody knows. */
  readonly by: string | null;
  readonly params: Readonly<Record<string, string>>;
  /** By the schemas of the route's parameters. */
  readonly query: Readonly<Record<string, any>>;
  /** Has no key that the route's schema lacks. */
  readonly body: Readonly<Record<string, any>>;
  /** The revision that `If-Match` names; null: there is none. */
  readonly expectedRevision: number | null;
  readonly idempotencyKey: string | null;
}

/** What is asked about the process, which is no tenant's. */
export interface ProcessCalls {
  status(): unknown;
  health(): Promise<unknown>;
}

export interface Answer {
  /** @default the route's */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** Plain data. Absent: there is no content. */
  body?: unknown;
}

/** One row of the table of routes, which controllers, permissions and the OpenAPI document are made of. */
export interface Route {
  /** Of the operation: unique. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the path of the module, as Nest writes it. */
  readonly path: string;
  /** What the caller has to be allowed. A function: by what the request says. */
  readonly needs: 'read' | HttpAction | ByBody;
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, Schema>>;
  /** Absent: it takes none. */
  readonly body?: Schema;
  /** Of a success. */
  readonly status: 200 | 201 | 202 | 204;
  /** Absent: there is no content. */
  readonly answer?: Schema;
  /** `If-Match` is looked at. */
  readonly takesRevision?: true;
  /** `Idempotency-Key` is looked at: by the route itself, or by the record, and this answers who sends it again. */
  readonly takesKey?: true | Repeated;
  /** It is about the process, or all there is: not for tenants. */
  readonly ofAll?: true;
  /** A change that needs no body: it may be sent without any. */
  readonly isBare?: true;
  /** What is to be read anew after it. @default what the path begins with */
  readonly topic?: Topic;
  /** It asks the process alone, and no storage. */
  readonly isOfProcess?: true;
  /** The answer goes on: the client is told what changes, for as long as it listens. */
  readonly isStream?: true;
  readonly handle: (call: Call) => Promise<Answer> | Answer;
}

/** Answers as the first request with the key was answered, which has this entry. */
export type Repeated = (call: Call, first: AuditEntry) => Answer | Promise<Answer>;

/** Needs what the word says that the body has under this key. */
export interface ByBody {
  readonly key: string;
  readonly actions: Readonly<Record<string, HttpAction>>;
}

/** Whether it changes something, so that it is refused where everything is only to be looked at. */
export function changes({ method }: Pick<Route, 'method'>): boolean {
  return method !== 'GET';
}

/** Whether those who ask the same may get one answer: lists and counts. What is about one thing alone is always read anew. */
export function isShared({ method, path, isOfProcess, isStream }: Route): boolean {
  return method === 'GET' && !path.includes(':') && isOfProcess === undefined && isStream === undefined;
}

/** What this request needs to be allowed. A word that is none of the route's needs looking only: the route refuses it. */
export function neededFor({ needs }: Route, body: unknown): 'read' | HttpAction {
  if (typeof needs === 'string') return needs;
  const word = (Object(body) as Readonly<Record<string, unknown>>)[needs.key];
  return typeof word === 'string' && Object.hasOwn(needs.actions, word) ? needs.actions[word]! : 'read';
}
