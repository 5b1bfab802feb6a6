import type { LoggerService } from '@nestjs/common';
import { logLevels, type LogLevel } from './global.options.js';

/** Of Nest itself, which tells of each module at its start. */
const ownContext = 'Chronis';

/** Writes what Nest's logger is given to stderr, from a level on: a line begins with the time and the level. */
export class StderrLogger implements LoggerService {
  private readonly least: number;

  constructor(
    level: LogLevel,
    private readonly write: (line: string) => void,
    private readonly now: () => Date = () => new Date(),
  ) {
    this.least = logLevels.indexOf(level);
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
    const stack = others.find((each) => typeof each === 'string' && each.includes('\n    at '));
    this.tell('ERROR', message);
    if (stack !== undefined && this.least === 0) this.write(stack as string);
  }

  fatal(message: unknown): void {
    this.tell('ERROR', message);
  }

  private tell(level: LogLevel, message: unknown): void {
    if (logLevels.indexOf(level) < this.least) return;
    const text = typeof message === 'string' ? message : String(message);
    this.write(`${this.now().toISOString()} ${level} ${text}`);
  }
}
