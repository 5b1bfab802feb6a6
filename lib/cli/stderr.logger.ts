import type { LoggerService } from '@nestjs/common';
import { logLevels, type LogLevel } from './global.options.js';
import { shownLines } from './text.width.js';

/** Of Nest itself, which tells of each module at its start. */
const ownContext = 'Chronis';
/** Of Nest, before it hands on an error that is told as the last word of the program. */
const twiceContext = 'ExceptionHandler';

export interface StderrLoggerOptions {
  /** An object for each line. @default false */
  isJson?: boolean;
  now?: () => Date;
}

/** Writes what Nest's logger is given to stderr, from a level on: a line begins with the time and the level. */
export class StderrLogger implements LoggerService {
  private readonly least: number;
  private readonly isJson: boolean;
  private readonly now: () => Date;

  constructor(
    level: LogLevel,
    private readonly write: (line: string) => void,
    { isJson = false, now = () => new Date() }: StderrLoggerOptions = {},
  ) {
    this.least = logLevels.indexOf(level);
    this.isJson = isJson;
    this.now = now;
  }

  debug(message: unknown): void {
    this.tell('DEBUG', message);
  }

  verbose(message: unknown): void {
    this.tell('DEBUG', message);
  }

  log(message: unknown, ...others: unknown[]): void {
    this.tell(others.at(-1) === ownContext ? 'INFO' : 'DEBUG', message);
  }

  warn(message: unknown): void {
    this.tell('WARNING', message);
  }

  /** Nest gives the stack before the context. */
  error(message: unknown, ...others: unknown[]): void {
    if (others.includes(twiceContext)) return;
    const stack = others.find((each) => typeof each === 'string' && each.includes('\n    at '));
    this.tell('ERROR', message);
    if (stack !== undefined && this.least === 0 && !this.isJson) this.write(stack as string);
  }

  fatal(message: unknown): void {
    this.tell('ERROR', message);
  }

  private tell(level: LogLevel, message: unknown): void {
    if (logLevels.indexOf(level) < this.least) return;
    const time = this.now().toISOString();
    if (!this.isJson) return this.write(`${time} ${level} ${shownLines(String(message))}`);
    const fields =
      typeof message === 'object' && message !== null ? { ...message } : { message: String(message) };
    this.write(JSON.stringify({ time, level, ...fields }));
  }
}
