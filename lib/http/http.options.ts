import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { InvalidOptionError, knownOptions, parseDuration, type DurationInput } from '../index.js';
import type { HttpAccess } from './http.access.js';
import type { Redact } from './redaction.js';

/** Who asks, for the audit. @publicApi */
export interface HttpUser {
  /** One line, at most 255 characters. */
  id: string;
}

/** Options of ChronisHttpModule. What takes the request gets that of Express or Fastify, after the guards. @publicApi */
export interface ChronisHttpOptions {
  /** What the caller may do: `'none'`, `'read'`, `'all'`, or a list of actions, which includes to look. @default 'all' */
  access?: (request: any) => HttpAccess | Promise<HttpAccess>;
  /** Who asks, for the audit and for pauses; null: nobody known, who is refused with 401. @default all is on record as asked for by `anonymous` */
  user?: (request: any) => HttpUser | null | Promise<HttpUser | null>;
  /** The tenant that the caller is confined to, see `scheduler.forTenant`; null: to none. Anything else is refused. @default nobody is confined */
  tenant?: (request: any) => string | null | Promise<string | null>;
  /** What is shown in the place of payloads, results, errors, logs and other text that jobs bring. @default what is stored */
  redact?: Redact;
  /** Changes are refused with 405, whatever `access` says. @default false */
  readOnly?: boolean;
  /** How long each statement of a request that only looks may take in a database that can end it (PostgreSQL): then the answer is 503. More than 0. @default '2s' */
  readTimeout?: DurationInput;
  /**
   * How long a list, or a count, is shared by all who ask for the same: the storage is asked once for all of them, and what an answer says may be so old. A change by this API is in what is asked for after it, and what is about
   * one job or one run is always read anew. `false`: each request asks. @default '1s'
   */
  shareAnswers?: DurationInput | false;
  /** Other sites whose pages may ask for changes, such as `'https://admin.example.com'`. @default none */
  origins?: readonly string[];
}

/** Where the API is in this application. @publicApi */
export interface ChronisHttpRoute {
  /** The path of the routes; a global prefix of the application stands before it. @default 'chronis' */
  path?: string;
  /**
   * Who is let in: classes, made by the injector, or instances; all of them have to. `'app'`: the global guards of the application see to it. @default none: in production (`NODE_ENV`) the application does not boot,
   * elsewhere only this machine is let in
   */
  guards?: (Type<CanActivate> | CanActivate)[] | 'app';
  /** Modules with what the guards need. */
  imports?: ModuleMetadata['imports'];
  /** Whether the document that the application makes with `@nestjs/swagger` has the routes as well: `'app'`. Their own is at `openapi.json` below the path. @default 'own': it has not */
  openapi?: 'own' | 'app';
  /** The paths of Chronosched beside, for clients that are made for them: `true`, or where they are. @default none; with true 'api/v1' */
  chronosched?: boolean | { path?: string };
  /** The ChronisModule that is operated, by its name. @default the one without a name */
  instance?: string;
}

/** The same, checked. */
export interface HttpSettings {
  access: NonNullable<ChronisHttpOptions['access']>;
  user: ChronisHttpOptions['user'] | null;
  tenant: ChronisHttpOptions['tenant'] | null;
  redact: Redact | null;
  readOnly: boolean;
  readTimeoutMs: number;
  /** null: each request asks. */
  sharedMs: number | null;
  origins: readonly string[];
}

export const httpKeys = [
  'access',
  'user',
  'tenant',
  'redact',
  'readOnly',
  'readTimeout',
  'shareAnswers',
  'origins',
] as const;
export const routeKeys = ['path', 'guards', 'imports', 'openapi', 'chronosched', 'instance'] as const;
const functions = ['access', 'user', 'tenant', 'redact'] as const;

/** Throws InvalidOptionError. */
export function httpSettings(given: ChronisHttpOptions, owner: string): HttpSettings {
  knownOptions(given, httpKeys, owner);
  for (const name of functions) {
    if (given[name] !== undefined && typeof given[name] !== 'function')
      throw new InvalidOptionError(name, 'must be a function.');
  }
  const { access = () => 'all', user = null, tenant = null, redact = null } = given;
  const { readOnly = false, readTimeout = '2s', shareAnswers = '1s', origins = [] } = given;
  const readTimeoutMs = parseDuration(readTimeout, 'readTimeout');
  const sharedMs = shareAnswers === false ? null : parseDuration(shareAnswers, 'shareAnswers');
  if (typeof readOnly !== 'boolean') throw new InvalidOptionError('readOnly', 'must be true or false.');
  if (!Array.isArray(origins)) throw new InvalidOptionError('origins', 'must be a list.');
  for (const origin of origins as unknown[]) {
    if (typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new InvalidOptionError(
      'origins',
      `must be origins such as 'https://admin.example.com', without a path, but has ${JSON.stringify(origin)}.`,
    );
  }
  return { access, user, tenant, redact, readOnly, readTimeoutMs, sharedMs, origins };
}

/** Throws InvalidOptionError. */
export function checkedRoute({ path = 'chronis', guards, openapi = 'own', chronosched }: ChronisHttpRoute): {
  path: string;
  guards: readonly (Type<CanActivate> | CanActivate)[] | 'app';
  /** null: they are not served. */
  chronosched: string | null;
} {
  if (openapi !== 'own' && openapi !== 'app')
    throw new InvalidOptionError('openapi', `must be 'own' or 'app'.`);
  if (guards !== undefined && guards !== 'app' && !Array.isArray(guards))
    throw new InvalidOptionError('guards', `must be a list of guards, classes or instances, or 'app'.`);
  for (const guard of guards === 'app' ? [] : (guards ?? [])) {
    const instance = (typeof guard === 'function' ? guard.prototype : guard) as Partial<CanActivate> | null;
    if (typeof instance?.canActivate !== 'function')
      throw new InvalidOptionError('guards', 'must be guards: each needs a method canActivate().');
  }
  const own = checkedPath(path, 'path');
  const other = chronoschedPath(chronosched);
  if (own === other)
    throw new InvalidOptionError('chronosched', `has the path of the API, "${own}". Give it another.`);
  return { path: own, guards: guards ?? [], chronosched: other };
}

function checkedPath(path: unknown, option: string): string {
  if (typeof path === 'string' && /^\/?[\w.~-]+(\/[\w.~-]+)*\/?$/.test(path))
    return path.replace(/^\/|\/$/g, '');
  throw new InvalidOptionError(option, 'must be the path of the routes, such as "chronis" or "ops/jobs".');
}

function chronoschedPath(given: unknown): string | null {
  if (given === undefined || given === false) return null;
  if (given !== true && (typeof given !== 'object' || given === null))
    throw new InvalidOptionError('chronosched', "must be true or { path: 'api/v1' }.");
  const options = given === true ? {} : knownOptions(given, ['path'], 'the option "chronosched"');
  return checkedPath(options.path ?? 'api/v1', 'chronosched.path');
}
