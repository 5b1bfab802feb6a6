import { InvalidOptionError } from '../model/errors.js';
import { refuseUnknown } from '../model/unknown.options.js';
import { described } from '../triggers/refuse.js';

const transaction = 'context.transaction()';

/** Throws InvalidOptionError: an option that nobody reads would have the transaction begin elsewhere than was meant. */
export function assertTransaction(work: unknown, options: object): void {
  if (typeof work !== 'function') {
    const problem = `takes the function that does the work first, but was given ${described(work)}.`;
    throw new InvalidOptionError(transaction, problem);
  }
  assertOptions(transaction, options, ['dataSource', 'begin']);
  const { dataSource, begin } = options as { dataSource?: unknown; begin?: unknown };
  if (begin === undefined) return;
  if (dataSource !== undefined) {
    throw new InvalidOptionError(transaction, 'give dataSource or begin, not both.');
  }
  if (typeof begin === 'function') return;
  throw new InvalidOptionError(
    'begin',
    `must be a function that begins a transaction, but is ${described(begin)}.`,
  );
}

/** Throws InvalidOptionError for what is no object, and for a key that nobody reads. */
export function assertOptions(owner: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('options', `${owner} takes an object, but was given ${described(given)}.`);
  }
  refuseUnknown(owner, given, known);
}
