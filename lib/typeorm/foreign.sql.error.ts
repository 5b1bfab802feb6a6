import { messageOf } from './sql.errors.js';

/** Where libraries keep the error of the driver that they have wrapped. */
const wrappings = ['cause', 'driverError', 'originalError', 'nativeError', 'meta', 'driverAdapterError'];
/** No code of Node's or of a library's own looks like one: it begins with a digit, or is of one of four classes. */
const sqlState = /^(?:[0-57]\d|[0-57][A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

type Wrapped = Readonly<Record<string, unknown>>;

/**
 * What went wrong in another library, in its words and in those that it has wrapped, and with the library's own error as `cause`. As pg would have told it where the server
 * said it.
 */
export function foreignError(error: unknown): Error {
  const wrapped = wrappedIn(error);
  const told = new Error(wordsOf(error, wrapped), { cause: error });
  for (const { code, originalCode } of wrapped) {
    for (const given of [code, originalCode])
      if (typeof given === 'string' && sqlState.test(given))
        return Object.assign(told, { code: given, severity: 'ERROR' });
  }
  return told.message === messageOf(error) && error instanceof Error ? error : told;
}

/** Itself, and what it has wrapped, from the outside in. */
function wrappedIn(error: unknown, found = new Set<Wrapped>()): Set<Wrapped> {
  if (typeof error !== 'object' || error === null || found.has(error as Wrapped)) return found;
  found.add(error as Wrapped);
  for (const name of wrappings) wrappedIn((error as Wrapped)[name], found);
  return found;
}

/** Some libraries say only which statement has failed, and leave the reason to what they have wrapped. */
function wordsOf(error: unknown, wrapped: ReadonlySet<Wrapped>): string {
  let words = messageOf(error);
  for (const { message } of wrapped) {
    if (typeof message === 'string' && !words.includes(message)) words = `${words.trimEnd()}: ${message}`;
  }
  return words;
}
