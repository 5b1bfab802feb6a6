import { AsyncLocalStorage } from 'node:async_hooks';

interface Scope {
  owner: object;
  value: unknown;
  outer: Scope | undefined;
}

/** One for all scopes of a process: Node 20 looks at each one that was ever used whenever a promise is made, also at those of applications that are closed. */
const scopes = new AsyncLocalStorage<Scope>();

/** A value for all that is called within some work, also behind its promises. */
export class CallScope<T> {
  run<R>(value: T, work: () => R): R {
    return scopes.run({ owner: this, value, outer: scopes.getStore() }, work);
  }

  /** That of the innermost work; undefined: none is under way. */
  get(): T | undefined {
    for (let scope = scopes.getStore(); scope !== undefined; scope = scope.outer) {
      if (scope.owner === this) return scope.value as T;
    }
    return undefined;
  }
}
