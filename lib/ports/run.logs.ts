import type { JsonObject } from '../model/json.js';
import { mostLogBytes, mostLogLines, type RunLogLevel } from '../model/run.log.js';
import type { EpochMs } from './epoch.ms.js';
import type { Hold } from './loop.js';

/** A line as it is stored. */
export interface LoggedLine {
  at: EpochMs;
  level: RunLogLevel;
  message: string;
  /** Absent: none. */
  fields?: JsonObject;
  /** Absent: it is whole. */
  cut?: true;
}

/** Lines that were written together; never changed. */
export interface RunLogPart {
  attempt: number;
  /** The claim of the attempt: an attempt that sleeps has several. */
  fence: number;
  /** Its number in that claim, from 0. */
  part: number;
  /** `mostPartLines` and `mostPartBytes` at most. */
  lines: readonly LoggedLine[];
  /** Of the lines, about. */
  bytes: number;
  /** So many lines before these are not kept. */
  dropped: number;
}

/** Lines of an attempt that has this hold of its run, or has ended. */
export type NewRunLogPart = Hold & RunLogPart;

/** Behind which part to begin. */
export type RunLogPlace = Pick<RunLogPart, 'fence' | 'part'>;

/** What attempts write to the logs of their runs. */
export interface RunLogStorage {
  /**
   * Keeps them, each once. Passes over those of attempts that do not have their runs any more, unless they have ended by themselves: nobody writes into the log of a run that was taken from him. Of a run that has more than `mostLogLines` or
   * `mostLogBytes` the parts in the middle go, see `middleOf`, and are counted in the first one behind them. They go with the ledger.
   */
  append(parts: readonly NewRunLogPart[]): Promise<void>;
  /** Of one run, by fence and part; `after`: those behind this one. */
  read(runId: string, after: RunLogPlace | null): Promise<RunLogPart[]>;
}

/** So that the first and the last half of what a run may keep are at least two parts each. */
export const mostPartLines = mostLogLines / 4;
export const mostPartBytes = mostLogBytes / 4;

/** Which of the parts of a run, in their order, are too many: from the first of these to before the second; null: none. */
export function middleOf(
  parts: readonly { lines: number; bytes: number }[],
): { from: number; until: number } | null {
  if (!areTooMany(sumOf(parts))) return null;
  const from = fitting(parts);
  const until = parts.length - fitting(parts.toReversed());
  return from < until ? { from, until } : null;
}

export function areTooMany({ lines, bytes }: { lines: number; bytes: number }): boolean {
  return lines > mostLogLines || bytes > mostLogBytes;
}

/** How many from the beginning are half of what may be kept. */
function fitting(parts: readonly { lines: number; bytes: number }[]): number {
  let [lines, bytes] = [0, 0];
  const end = parts.findIndex((part) => {
    lines += part.lines;
    bytes += part.bytes;
    return lines > mostLogLines / 2 || bytes > mostLogBytes / 2;
  });
  return end === -1 ? parts.length : end;
}

function sumOf(parts: readonly { lines: number; bytes: number }[]): { lines: number; bytes: number } {
  return parts.reduce((sum, { lines, bytes }) => ({ lines: sum.lines + lines, bytes: sum.bytes + bytes }), {
    lines: 0,
    bytes: 0,
  });
}

/** What a line takes beside its texts, about. */
export const lineOverhead = 64;
