// Handlers, listeners and user code may throw anything: what looks at it here never throws itself, whatever its getters, traps and conversions do.

/** `instanceof`, which a proxy may make throw. */
export function isA<T>(value: unknown, kind: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** Whether there is a `then`, which a getter may keep from being looked at. */
export function isThenable(value: object): boolean {
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

/** Waits for a promise or anything like one; what it rejects with goes to `rejected` and never becomes an unhandled rejection. */
export function outcomeOf<T>(
  value: T,
  rejected: (error: unknown) => void,
  resolved: (value: Awaited<T>) => void = () => undefined,
): Promise<void> {
  try {
    // What the function below does, without the objects of an async function: there are thousands of these a second.
    if (isPlain(value)) return value.then(resolved as (value: unknown) => void, rejected);
  } catch {
    // It is a promise by its looks only.
  }
  return outcomeOfAny(value, rejected, resolved);
}

/** A promise of the platform, and nothing about it is somebody's own. */
function isPlain(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && value.constructor === Promise && value.then === Promise.prototype.then;
}

async function outcomeOfAny<T>(
  value: T,
  rejected: (error: unknown) => void,
  resolved: (value: Awaited<T>) => void,
): Promise<void> {
  let result: Awaited<T>;
  try {
    // Getters of `then` and `constructor` may throw.
    result = await value;
  } catch (error) {
    return rejected(error);
  }
  resolved(result);
}
