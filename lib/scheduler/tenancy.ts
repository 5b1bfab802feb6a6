import { InvalidOptionError } from '../model/errors.js';
import type { PauseScope } from '../model/pause.js';
import { isReference } from './handler.reference.js';
import { namespaceOf, type NamespaceOption } from './job.identity.js';
import { described, knownOptions, lineOfText } from './option.checks.js';

/** How a tenant is marked. @publicApi */
export interface TenantOptions {
  /** The key of the metadata that holds the tenant's id. @default 'tenant_id' */
  metadataKey?: string;
}

/** A namespace with this prefix is a tenant's, so that no tenant is called like a namespace of the application. */
const prefix = 'tenant:';
const maxTenantLength = 200;

/** The namespace of a tenant, and what keeps calls within it. */
export class Tenancy {
  readonly namespace: string;
  private readonly tenant: string;
  private readonly key: string;

  /** Throws InvalidOptionError. */
  constructor(tenant: unknown, options: TenantOptions) {
    const { metadataKey } = knownOptions(options, ['metadataKey'], 'forTenant()');
    this.tenant = lineOfText(tenant, 'tenant', maxTenantLength);
    if (this.tenant.includes('/')) throw new InvalidOptionError('tenant', 'must not hold a "/".');
    this.key = lineOfText(metadataKey ?? 'tenant_id', 'metadataKey');
    if (this.key === '__proto__') throw new InvalidOptionError('metadataKey', 'cannot be a key of metadata.');
    this.namespace = namespaceOf(prefix + this.tenant);
  }

  /** The options in the namespace of the tenant. Throws InvalidOptionError: they name another one. */
  confined<O extends NamespaceOption>(options: O | undefined): O & { namespace: string } {
    const { namespace } = this;
    const given = options === undefined ? {} : knownObject(options);
    if (given.namespace !== undefined && given.namespace !== namespace) {
      throw new InvalidOptionError(
        'namespace',
        `the jobs of the tenant "${this.tenant}" are in a namespace of their own. Leave it out.`,
      );
    }
    return { ...given, namespace } as O & { namespace: string };
  }

  /** The same for a job to be created, with the mark of the tenant. */
  marked<O extends { handler?: unknown }>(options: O): O {
    const { handler, namespace, metadata } = knownObject(options);
    const defaults = isReference(handler) ? handler.defaults : {};
    const confined = this.confined({ namespace: (namespace ?? defaults.namespace) as string | undefined });
    return { ...options, ...confined, metadata: this.withMark(metadata ?? defaults.metadata ?? {}) };
  }

  /** A change that does not take the mark away. */
  keepingMark<O extends { metadata?: unknown }>(changes: O): O {
    const { metadata } = knownObject(changes);
    return metadata === undefined ? changes : { ...changes, metadata: this.withMark(metadata) };
  }

  /** All of the tenant, as `{ all: true }` or by its namespace. A handler or a queue is shared with other tenants. */
  scopeOf(scope: PauseScope): PauseScope {
    const { all, namespace } = knownObject(scope);
    const own = Object.keys(scope).length === 1 && (all === true || namespace === this.namespace);
    if (own) return { namespace: this.namespace };
    throw new InvalidOptionError(
      'scope',
      `must be { all: true }, which is all of the tenant "${this.tenant}", but is ${described(scope)}.`,
    );
  }

  private withMark(metadata: unknown): unknown {
    // What is no object is refused where all metadata is checked.
    if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return metadata;
    const given = (metadata as Record<string, unknown>)[this.key];
    if (given === undefined || given === this.tenant) return { ...metadata, [this.key]: this.tenant };
    throw new InvalidOptionError(
      `metadata.${this.key}`,
      `is ${described(given)}, but the job belongs to the tenant "${this.tenant}". Leave it out.`,
    );
  }
}

/**
 * A job of a tenant for the scheduler of all, as `forTenant(tenant)` would make it: in the tenant's namespace, with its mark. For jobs of many tenants in
 * one call. Throws InvalidOptionError.
 *
 * @example
 * await scheduler.createMany(tenants.map((id) => tenantJob(id, { id: 'report', handler: 'report', cron: '0 9 * * *' })));
 * @publicApi
 */
export function tenantJob<J extends { handler?: unknown }>(
  tenant: string,
  job: J,
  options: TenantOptions = {},
): J {
  return new Tenancy(tenant, options).marked(job);
}

function knownObject(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    return given as Readonly<Record<string, unknown>>;
  }
  throw new InvalidOptionError('options', `must be an object, but is ${described(given)}.`);
}
