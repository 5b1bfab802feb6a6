import { FailedError, toldError } from './cli.errors.js';

export interface BootWatch {
  /** How long it may take, as it was given, and in ms. */
  limit: string;
  limitMs: number;
  /** When somebody ends the process, that is who ended it. */
  signal: AbortSignal;
  /** What it is waiting for. */
  waitsFor: () => readonly string[];
  /** The application has ended the process: the last moment to say so. `stack`: of what it threw and nobody caught. */
  ended: (error: FailedError, stack: string | null) => void;
}

/** What the boot of an application comes to. Rejects with FailedError where it comes to no end: after the limit, or as soon as nothing is left in the process that could end it. */
export async function watched<T>(boot: () => Promise<T>, watch: BootWatch): Promise<T> {
  const { limit, limitMs, signal } = watch;
  const waiting = (): string => {
    const names = watch.waitsFor();
    return names.length === 0 ? 'its begin' : names.join(' and ');
  };
  let idle!: () => void;
  let timer!: NodeJS.Timeout;
  const endless = new Promise<never>((_, reject) => {
    const give = (sentence: string): void => reject(new FailedError(sentence));
    idle = () =>
      give(
        `The application did not boot: nothing is left in the process that could end ${waiting()}. It waits for something that does not come.`,
      );
    timer = setTimeout(
      () =>
        give(
          `The application did not boot within ${limit}, waiting for ${waiting()}. Leave that out where process.env.CHRONIS_PLAN is set, or give it longer: --boot-timeout.`,
        ),
      limitMs,
    );
    // It must not keep alive what has nothing else to wait for.
    timer.unref();
  });
  let uncaught: { error: unknown } | null = null;
  const exiting = (code: number): void => {
    if (signal.aborted) return;
    process.exitCode = 1;
    const error = uncaught?.error;
    const why =
      uncaught === null ? 'process.exit' : `an error that nobody caught: ${toldError(error).message}`;
    watch.ended(
      new FailedError(
        `The application has ended the process while it booted, with the code ${code} (${why}). Leave that out where process.env.CHRONIS_PLAN is set.`,
      ),
      error instanceof Error ? (error.stack ?? null) : null,
    );
  };
  /** Node would write it as it is, with passwords, and end the process; where the application listens itself it does not. */
  const thrown = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') > 1) return;
    uncaught = { error };
    process.exit(1);
  };
  process.on('beforeExit', idle);
  process.on('exit', exiting);
  process.on('uncaughtException', thrown);
  try {
    return await Promise.race([boot(), endless]);
  } finally {
    clearTimeout(timer);
    process.off('beforeExit', idle);
    process.off('exit', exiting);
    process.off('uncaughtException', thrown);
  }
}
