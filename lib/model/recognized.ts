import type { ChronisError } from './chronis.error.js';
import {
  InvalidPayloadError,
  InvalidWorkflowError,
  RetryAfterError,
  StorageBusyError,
  StorageError,
  UnrecoverableError,
} from './errors.js';
import { isA } from './thrown.js';

type Kind<T> = abstract new (...args: never[]) => T;

const codes = new Map<unknown, readonly string[]>([
  [
    UnrecoverableError,
    [
      'CHRONIS_UNRECOVERABLE',
      'CHRONIS_PAYLOAD_MISMATCH',
      'CHRONIS_STEP_RESULT_MISSING',
      'CHRONIS_INVALID_WORKFLOW',
      'CHRONIS_COMMAND_REFUSED',
      'CHRONIS_HTTP_REFUSED',
    ],
  ],
  [RetryAfterError, ['CHRONIS_RETRY_AFTER']],
  [InvalidPayloadError, ['CHRONIS_INVALID_PAYLOAD']],
  [InvalidWorkflowError, ['CHRONIS_INVALID_WORKFLOW']],
  [
    StorageError,
    ['CHRONIS_STORAGE', 'CHRONIS_STORAGE_BUSY', 'CHRONIS_STORAGE_IN_USE', 'CHRONIS_STORAGE_DAMAGED'],
  ],
  [StorageBusyError, ['CHRONIS_STORAGE_BUSY']],
]);

/**
 * Whether it is an error of this kind, by its class or by its code: handlers and adapters may have a copy of this package of their own, as packages of a workspace
 * do, whose classes are others.
 */
export function isOf<T extends ChronisError>(error: unknown, kind: Kind<T>): error is T {
  if (isA(error, kind)) return true;
  const code = chronisCodeOf(error);
  return code !== null && (codes.get(kind) ?? []).includes(code);
}

/** Null: it is no error of this package, whatever copy. */
export function chronisCodeOf(error: unknown): string | null {
  try {
    const { code } = error as { code?: unknown };
    return typeof code === 'string' && code.startsWith('CHRONIS_') ? code : null;
  } catch {
    return null;
  }
}
