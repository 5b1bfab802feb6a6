/** Base of everything Chronis throws. `code` is stable; messages may improve. @publicApi */
export class ChronisError extends Error {
  constructor(
    /** Stable, e.g. `CHRONIS_JOB_NOT_FOUND`; listed in docs/reference/errors.md. */
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option of the module, a decorator or a call is wrong. The message names the option and the fix. @publicApi */
export class InvalidOptionError extends ChronisError {
  constructor(
    readonly option: string,
    problem: string,
  ) {
    super('CHRONIS_INVALID_OPTION', `${option}: ${problem}`);
  }
}
