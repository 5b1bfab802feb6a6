import { ChronisError } from './chronis.error.js';
import { UnrecoverableError } from './run.errors.js';

/** A command was not started, ended with an exit code that does not mean success, or was ended by a signal. The message has the end of what it wrote. @publicApi */
export class CommandFailedError extends ChronisError {
  /** null: it was ended by a signal, or not started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Cut in the middle where it is long. */
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    readonly program: string,
    message: string,
    {
      exitCode = null,
      signal = null,
      stdout = '',
      stderr = '',
    }: { exitCode?: number | null; signal?: string | null; stdout?: string; stderr?: string } = {},
    options?: { cause?: unknown },
  ) {
    super('CHRONIS_COMMAND_FAILED', message, options);
    this.exitCode = exitCode;
    this.signal = signal;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** The worker does not run this program, or does not have it: the run has failed, whatever retries it has left. @publicApi */
export class CommandRefusedError extends UnrecoverableError {
  constructor(
    readonly program: string,
    message: string,
  ) {
    super(message, undefined, 'CHRONIS_COMMAND_REFUSED');
  }
}

/** A program that a job has brought along is not stored any more, or is not what it was: the run has failed, whatever retries it has left. @publicApi */
export class BinaryRefusedError extends UnrecoverableError {
  constructor(
    readonly sha256: string,
    message: string,
  ) {
    super(message, undefined, 'CHRONIS_BINARY_REFUSED');
  }
}

/** A call came to no answer, or to one that does not mean success. The message has the begin of its body. @publicApi */
export class HttpFailedError extends ChronisError {
  constructor(
    message: string,
    /** null: there was no answer. */
    readonly status: number | null,
  ) {
    super('CHRONIS_HTTP_FAILED', message);
  }
}

/** The worker does not call this, or has no such variable: the run has failed, whatever retries it has left. @publicApi */
export class HttpRefusedError extends UnrecoverableError {
  constructor(message: string) {
    super(message, undefined, 'CHRONIS_HTTP_REFUSED');
  }
}

/** A broker or a queue did not take a message, or not in time; then it may have it all the same. @publicApi */
export class EmitFailedError extends ChronisError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CHRONIS_EMIT_FAILED', message, options);
  }
}
