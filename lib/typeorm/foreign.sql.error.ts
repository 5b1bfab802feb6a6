import { messageOf } from './sql.errors.js';

/** Where libraries keep the error of the driver that they have wrapped. */
const wrappings = ['cause', 'driverError', 'originalError', 'nativeError', 'meta', 'driverAdapterError'];
const deepest = 8;
/** No code of Node's or of a library's own looks like one: it begins with a digit, or is of one of four classes. */
const sqlState = /^(?:[0-57]\d|[0-57][A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** What the server said, as pg would have told it, with the library's own error as `cause`; null: it was not the server. */
export function foreignSqlError(error: unknown): Error | null {
  const state = stateIn(error, deepest);
  if (state === null) return null;
  const told = new Error(messageOf(error), { cause: error });
  return Object.assign(told, { code: state, severity: 'ERROR' });
}

function stateIn(error: unknown, depth: number): string | null {
  if (typeof error !== 'object' || error === null || depth === 0) return null;
  const { code, originalCode } = error as Record<string, unknown>;
  for (const given of [code, originalCode])
    if (typeof given === 'string' && sqlState.test(given)) return given;
  for (const name of wrappings) {
    const state = stateIn((error as Record<string, unknown>)[name], depth - 1);
    if (state !== null) return state;
  }
  return null;
}
