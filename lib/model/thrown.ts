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
export async function outcomeOf(
  value: unknown,
  rejected: (error: unknown) => void,
  resolved: (value: unknown) => void = () => undefined,
): Promise<void> {
  let result: unknown;
  try {
    // Getters of `then` and `constructor` may throw.
    result = await value;
  } catch (error) {
    return rejected(error);
  }
  resolved(result);
}
