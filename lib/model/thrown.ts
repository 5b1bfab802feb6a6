// Handlers, listeners and user code may throw anything: what looks at it here never throws itself, whatever its getters, traps and conversions do.

/** `instanceof`, which a proxy may make throw. */
export function isA<T>(value: unknown, kind: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** What `read` gives if it is a text that says something; undefined: it is not, or reading it throws. */
function textFrom(read: () => unknown): string | undefined {
  try {
    const text = read();
    return typeof text === 'string' && text !== '' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Name and message with the stack, where there is one. */
export function thrownStack(error: unknown): string | undefined {
  // `Error.prepareStackTrace` makes anything of it.
  return isA(error, Error) ? textFrom(() => error.stack) : undefined;
}

/** The message of an error, or what else was thrown as text. */
export function thrownMessage(error: unknown): string {
  if (!isA(error, Error)) return plainText(error);
  try {
    const { message } = error as { message: unknown };
    return typeof message === 'string' ? message : plainText(message);
  } catch {
    return unshowable;
  }
}

/** The stack of an error, or as much as can be shown of what else was thrown. */
export function thrownText(error: unknown): string {
  if (!isA(error, Error)) return plainText(error);
  return (
    thrownStack(error) ??
    textFrom(() => `${String(error.name)}: ${String(error.message)}`) ??
    textFrom(() => String(error.message)) ??
    unshowable
  );
}

const unshowable = 'An error that cannot be shown as text.';

function plainText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return unshowable;
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
