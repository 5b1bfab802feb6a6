import { exitCodes, type ExitCode } from './exit.codes.js';
import { inFlags } from './words.of.flags.js';

/** What was asked for makes no sense: the message says what to do. */
export class UsageError extends Error {
  readonly code = 'CHRONIS_CLI_USAGE';
}

/** A signal has ended it. */
export class InterruptedError extends Error {
  readonly code = 'CHRONIS_CLI_INTERRUPTED';

  constructor(readonly exitCode: ExitCode) {
    super('It was interrupted. What was done until then stays done.');
  }
}

/** It did not work, for a reason that has no error of its own. */
export class FailedError extends Error {
  readonly code = 'CHRONIS_CLI_FAILED';
}

/** An error as it is told. */
export interface ToldError {
  code: string;
  message: string;
}

export function toldError(error: unknown): ToldError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' && code.startsWith('CHRONIS_') ? code : 'CHRONIS_CLI_FAILED',
    message: inFlags(typeof message === 'string' && message !== '' ? message : String(error)),
  };
}

/** Errors of what was typed, by which service ever they were found. */
const ofUsage = /^CHRONIS_(CLI_USAGE|INVALID_\w+|EMPTY_JOB_ID)$/;

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof InterruptedError) return error.exitCode;
  return ofUsage.test(toldError(error).code) ? exitCodes.usage : exitCodes.failed;
}
