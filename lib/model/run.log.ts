import type { JsonObject } from './json.js';

/** Those of Nest's loggers, from the least. @publicApi */
export type RunLogLevel = 'verbose' | 'debug' | 'log' | 'warn' | 'error' | 'fatal';

export const runLogLevels = [
  'verbose',
  'debug',
  'log',
  'warn',
  'error',
  'fatal',
] as const satisfies RunLogLevel[];

/** A line of the log of a run. @publicApi */
export interface RunLogEntry {
  at: Date;
  /** Which attempt has written it. */
  attempt: number;
  level: RunLogLevel;
  message: string;
  fields: JsonObject | null;
  /** It was longer than 4 KiB. */
  cut: boolean;
  /** How many lines before it are not kept. */
  dropped: number;
}

/** What a run may keep: the first and the last half of it. */
export const mostLogLines = 1_000;
export const mostLogBytes = 262_144;
/** Of one line, message and fields together. */
export const longestLogLine = 4_096;
