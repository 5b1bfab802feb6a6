import { DefinitionsNotSupportedError } from '../model/errors.js';
import type { DefinitionStorage, StorageAdapter } from '../ports/storage.adapter.js';
import type { HandlerDirectory } from '../scheduler/handler.directory.js';
import type { AuditedCall } from '../scheduler/audited.store.js';
import type { JobAccess, ManagerOption } from '../scheduler/job.access.js';
import type { JobCreator } from '../scheduler/job.creator.js';
import type { JobDefaults } from '../scheduler/job.definition.js';
import type { StorageNow } from '../scheduler/storage.now.js';
import type { TransactionJoiner } from '../scheduler/transaction.joiner.js';

/** What the service works with. */
export interface DefinitionParts {
  storage: StorageAdapter;
  transactions: TransactionJoiner;
  creator: JobCreator;
  directory: HandlerDirectory;
  /** What the app of this process was called before. */
  previousApps: readonly string[];
  time: StorageNow;
  defaults: JobDefaults;
  /** What is pruned goes into the history, where the storage has one. */
  keepsHistory: boolean;
}

/** The stored jobs and definitions as one call works with them. */
export interface DefinitionAccess {
  access: JobAccess;
  definitions: DefinitionStorage;
}

/** Throws DefinitionsNotSupportedError, TransactionNotSupportedError, InvalidOptionError (manager). */
export async function definitionAccess(
  { storage, transactions }: Pick<DefinitionParts, 'storage' | 'transactions'>,
  options: ManagerOption,
  call?: () => AuditedCall,
): Promise<DefinitionAccess> {
  const access = await transactions.access(options, call);
  const { definitions } = access.jobs;
  if (definitions === undefined) throw new DefinitionsNotSupportedError(storage.kind);
  return { access, definitions };
}
