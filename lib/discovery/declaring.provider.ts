import { ContextIdFactory, ModuleRef, type ContextId, type DiscoveryService } from '@nestjs/core';
import { featureDefaults, type ChronisFeatureOptions } from './feature.options.js';
import { InvalidOptionError } from '../model/errors.js';
import type { RunContext } from '../engine/run.context.js';
import { inheritedDeclarationsOf, type Declaration } from '../decorators/declaration.js';
import { messageOf } from '../events/shown.error.js';
import { eventAnnotationsOf, type EventAnnotation } from '../decorators/on.job.event.decorator.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];
type Methods = Record<string, (...args: unknown[]) => unknown>;

/** A provider or controller that may have decorated methods. */
export class DeclaringProvider {
  private constructor(
    private readonly wrapper: InstanceWrapper,
    readonly prototype: Methods,
    /** Whether instances may be looked at; until all are made, Nest does not know yet which are singletons. */
    private readonly isMade = true,
  ) {}

  /** Before all instances are made: of what is a class, and nothing else. */
  static ofClass(this: void, wrapper: InstanceWrapper): DeclaringProvider | null {
    const prototype: unknown = wrapper.isAlias || wrapper.isNotMetatype ? null : wrapper.metatype?.prototype;
    return isObject(prototype) ? new DeclaringProvider(wrapper, prototype as Methods, false) : null;
  }

  /** Null: an alias of another provider, or nothing with methods. */
  static of(this: void, wrapper: InstanceWrapper): DeclaringProvider | null {
    if (wrapper.isAlias) return null;
    const prototype: unknown = isObject(wrapper.instance)
      ? Object.getPrototypeOf(wrapper.instance)
      : wrapper.metatype?.prototype;
    if (!isObject(prototype) || prototype === Object.prototype) return null;
    return new DeclaringProvider(wrapper, prototype as Methods);
  }

  get className(): string {
    return this.prototype.constructor!.name;
  }

  get moduleName(): string {
    return this.wrapper.host?.name ?? 'an unknown module';
  }

  /** For messages, where the name of the class is not enough. */
  get label(): string {
    const { token } = this.wrapper;
    const own = typeof token === 'function' && token.name === this.className;
    return own
      ? this.moduleName
      : `${typeof token === 'function' ? token.name : String(token)} in ${this.moduleName}`;
  }

  get module(): InstanceWrapper['host'] {
    return this.wrapper.host;
  }

  /** The same object for the same provider, whenever it is looked at. */
  get source(): object {
    return this.wrapper;
  }

  get token(): unknown {
    return this.wrapper.token;
  }

  /** What there is one of in the whole application; null: made anew for each run. */
  get singleton(): object | null {
    const { wrapper } = this;
    if (!this.isMade) return null;
    return wrapper.isDependencyTreeStatic() && !wrapper.isTransient ? (wrapper.instance as object) : null;
  }

  /** The instance, or, of what is made anew for each run, an object of its class that no constructor has run for. null: it is too early. */
  get example(): object | null {
    if (!this.isMade) return null;
    return isObject(this.wrapper.instance) ? this.wrapper.instance : this.prototype;
  }

  /** Inherited methods are included; one that overrides another has only the decorators of its own. */
  declarationsOf(method: string): readonly Declaration[] {
    return inheritedDeclarationsOf(this.prototype, method).map((declaration) => {
      const kind = declaration.kind === 'handler' ? 'handler' : 'schedule';
      return this.withDefaults(declaration, kind);
    });
  }

  /** What the token stands for in the provider's module, or else in the application. Throws InvalidOptionError. */
  look(token: unknown): unknown {
    const moduleRef = this.wrapper.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
    for (const strict of [true, false]) {
      try {
        return moduleRef.get<unknown>(token as never, { strict });
      } catch (cause) {
        if (strict) continue;
        const name = typeof token === 'function' ? token.name : String(token);
        const problem = `${name} is not a provider that there is one of in the application.`;
        throw Object.assign(new InvalidOptionError('inject', problem), { cause });
      }
    }
    return undefined;
  }

  /** The same for `@OnJobEvent`. */
  eventAnnotationsOf(method: string): readonly EventAnnotation[] {
    const owner = this.ownerOf(method);
    const annotations = owner === null ? [] : eventAnnotationsOf(owner, method);
    return annotations.map((annotation) => this.withDefaults(annotation, 'listener'));
  }

  /**
   * Calls the method for a run. Request-scoped providers, which include all that depend on one, and transient ones are made for this run,
   * with its RunContext as the request. The method gets the context, also where it seems to take no parameter: decorators may wrap it.
   */
  call(method: string): (context: RunContext) => unknown {
    const call = this.callWith(method);
    return (context) => call(context, context);
  }

  /** Calls the method in a way that is made for an instance: once, or for each run. */
  callBy(
    make: (instance: object, contextId?: ContextId) => (context: RunContext) => unknown,
  ): (context: RunContext) => unknown {
    let once: ((context: RunContext) => unknown) | null = null;
    return async (context) => {
      const { singleton } = this;
      if (singleton !== null) return (once ??= make(singleton))(context);
      const { instance, contextId } = await this.make(context);
      return make(instance, contextId)(context);
    };
  }

  /** Calls the method for anything else that is a request. */
  callWith(method: string): (request: object, ...values: unknown[]) => unknown {
    return (request, ...values) => {
      const { singleton } = this;
      if (singleton !== null) return (singleton as Methods)[method]!(...values);
      return this.make(request).then(({ instance }) => (instance as Methods)[method]!(...values));
    };
  }

  /** What the module says for all its declarations, by `forFeature`. */
  defaultsOf(kind: 'schedule' | 'handler'): ChronisFeatureOptions {
    return featureDefaults(this.wrapper.host, kind);
  }

  /** A declaration with what the module says for it. */
  private withDefaults<D extends { options: object }>(
    declaration: D,
    kind: 'schedule' | 'handler' | 'listener',
  ): D {
    const defaults = featureDefaults(this.wrapper.host, kind);
    const { options } = declaration;
    // What is no object is refused later, with the decorator's name.
    if (typeof options !== 'object' || options === null) return declaration;
    return { ...declaration, options: { ...defaults, ...options } };
  }

  private ownerOf(method: string): object | null {
    let owner: object | null = this.prototype;
    while (owner !== null && !Object.hasOwn(owner, method)) {
      owner = Object.getPrototypeOf(owner) as object | null;
    }
    return owner;
  }

  /** As for routes: what lives longer than its request gets what the strategy says of all of them, which others get beside it. */
  private requestFor(request: object, payload: object | undefined): object {
    if (payload === undefined) return request;
    return this.wrapper.isDependencyTreeDurable() ? payload : { ...payload, ...request };
  }

  private async make(request: object): Promise<{ instance: object; contextId: ContextId }> {
    const { host, token } = this.wrapper;
    // The module's own reference: the same token may stand for something else in another module.
    const moduleRef = host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
    const contextId = contextIdOf(request);
    moduleRef.registerRequestByContextId(this.requestFor(request, contextId.payload as object), contextId);
    const instance = await moduleRef.resolve<object>(token as never, contextId, { strict: true });
    return { instance, contextId };
  }
}

/** By the application's strategy for durable providers, if it has one. Throws InvalidOptionError with what that throws as its cause. */
function contextIdOf(request: object): ContextId {
  try {
    return ContextIdFactory.getByRequest(request);
  } catch (cause) {
    const problem = `the strategy threw for a run: ${messageOf(cause)}. What it gets then is the RunContext, or the event of a listener, and no HTTP request: let it take the tenant from job.namespace, job.metadata or payload.`;
    throw Object.assign(new InvalidOptionError('ContextIdFactory.apply()', problem), { cause });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
