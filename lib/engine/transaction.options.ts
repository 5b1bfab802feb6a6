import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import { refuseUnknown } from '../model/unknown.options.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { described } from '../triggers/refuse.js';

const transaction = 'context.transaction()';

/** Throws InvalidOptionError: an option that nobody reads would have the transaction begin elsewhere than was meant. */
export function assertTransaction(work: unknown, options: object): void {
  if (typeof work !== 'function') {
    const problem = `takes the function that does the work first, but was given ${described(work)}.`;
    throw new InvalidOptionError(transaction, problem);
  }
  assertTransactionOptions(transaction, options);
}

/** Throws InvalidOptionError, as above. */
export function assertTransactionOptions(transaction: string, options: object): void {
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

/** Throws TransactionNotSupportedError. */
export function assertTransactions(
  storage: StorageAdapter,
  call: 'ctx.transaction()' | 'ctx.step.transaction()' = 'ctx.transaction()',
): void {
  if (storage.transaction !== undefined) return;
  throw new TransactionNotSupportedError(
    call,
    `the storage "${storage.kind}" has no transactions to share with a handler. Use typeOrmStorage(), or write without it and make the handler idempotent by ctx.runId.`,
  );
}

/** Throws InvalidOptionError for what is no object, and for a key that nobody reads. */
export function assertOptions(owner: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new InvalidOptionError('options', `${owner} takes an object, but was given ${described(given)}.`);
  }
  refuseUnknown(owner, given, known);
}
