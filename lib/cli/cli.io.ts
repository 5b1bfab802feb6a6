/** Where text goes. */
export interface Stream {
  write(text: string): void;
  isTerminal: boolean;
  /** Characters in a line; undefined: nobody knows. */
  columns: number | undefined;
  /** Nobody reads it any more, or it cannot be written: what comes is lost. Absent: that is not known. */
  readonly isGone?: boolean;
}

/** What the command line has of its process. */
export interface CliIo {
  /** Results, and nothing else. */
  stdout: Stream;
  stderr: Stream;
  /** From now on what others in the process write to its stdout goes to stderr. Absent: nobody else is there. */
  keepStdout?: () => void;
  env: Readonly<Record<string, string | undefined>>;
  /** Fires with the name of the signal that ends the process, such as SIGINT. */
  signal: AbortSignal;
  /** Asks somebody at a terminal; null: nobody is there. */
  ask: ((question: string) => Promise<string>) | null;
}
