import { InvalidOptionError, StorageError } from '../model/errors.js';
import type { Page } from '../model/job.js';
import { runLogLevels, type RunLogEntry, type RunLogLevel } from '../model/run.log.js';
import type { PageRequest, RunLogPart, RunLogPlace, StorageAdapter } from '../ports/storage.adapter.js';
import { pageKeys, pageOf } from './job.query.js';
import { knownOptions, lineOfText, oneOf } from './option.checks.js';

/** Which lines of which run. @publicApi */
export interface RunLogQuery extends PageRequest {
  runId: string;
  /** Only what this attempt has written, from 1. */
  attempt?: number;
  /** This level, and what is worse: `verbose`, `debug`, `log`, `warn`, `error`, `fatal`. @default all */
  level?: RunLogLevel;
}

export const runLogKeys = ['runId', 'attempt', 'level', ...pageKeys] as const;

/** Lines of the log of a run, the oldest first. @publicApi */
export interface RunLogPage extends Page<RunLogEntry> {
  /** Leads to what the run writes after the last of these, also where `cursor` is null; null: it has written nothing yet. */
  tail: string | null;
}

interface Place extends RunLogPlace {
  /** How many lines of the part were read. */
  line: number;
}

const usualLimit = 100;

/** Throws InvalidOptionError, StorageError (the storage keeps no logs). */
export async function readRunLog(
  query: Readonly<RunLogQuery>,
  { runLogs, kind }: StorageAdapter,
): Promise<RunLogPage> {
  knownOptions(query, runLogKeys, 'getRunLog()');
  if (runLogs === undefined)
    throw new StorageError(
      `The storage "${kind}" keeps no logs of runs. Use typeOrmStorage(), or one in memory or in a file.`,
    );
  const { attempt, level } = query;
  const runId = lineOfText(query.runId, 'runId');
  const { limit = usualLimit, cursor } = pageOf(pickPage(query));
  const isWanted = wanted(attempt === undefined ? null : numberOf(attempt), levelOf(level));
  const from = cursor === undefined ? null : placeOf(cursor);
  // The part that was read in part comes again.
  const after = from === null ? null : { fence: from.fence, part: from.part - 1 };
  return page(await runLogs.read(runId, after), from, limit, isWanted);
}

function page(
  parts: readonly RunLogPart[],
  from: Place | null,
  limit: number,
  isWanted: (entry: RunLogEntry) => boolean,
): RunLogPage {
  const items: RunLogEntry[] = [];
  let last: Place | null = from;
  // What was left out by the filter is not what is not kept.
  let dropped = 0;
  for (const part of parts) {
    const { fence, part: nth, lines } = part;
    const isBegun = from !== null && from.fence === fence && from.part === nth;
    if (!isBegun) dropped += part.dropped;
    for (let line = isBegun ? from.line : 0; line < lines.length; line++) {
      const entry = toEntry(part, line);
      if (isWanted(entry)) {
        if (items.length === limit) return { items, cursor: textOf(last!), tail: textOf(last!) };
        items.push({ ...entry, dropped });
        dropped = 0;
      }
      last = { fence, part: nth, line: line + 1 };
    }
  }
  return { items, cursor: null, tail: last === null ? null : textOf(last) };
}

function toEntry({ attempt, lines }: RunLogPart, nth: number): RunLogEntry {
  const { at, level, message, fields = null, cut = false } = lines[nth]!;
  return { at: new Date(at), attempt, level, message, fields, cut, dropped: 0 };
}

function wanted(attempt: number | null, least: number): (entry: RunLogEntry) => boolean {
  return (entry) =>
    (attempt === null || entry.attempt === attempt) && runLogLevels.indexOf(entry.level) >= least;
}

function levelOf(level: unknown): number {
  return level === undefined ? 0 : runLogLevels.indexOf(oneOf(level, 'level', runLogLevels));
}

function numberOf(attempt: unknown): number {
  if (Number.isInteger(attempt) && (attempt as number) >= 0) return attempt as number;
  throw new InvalidOptionError('attempt', `must be the number of an attempt, but is ${String(attempt)}.`);
}

function pickPage({ limit, cursor }: Readonly<RunLogQuery>): PageRequest {
  return { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) };
}

const textOf = ({ fence, part, line }: Place): string => `${fence}-${part}-${line}`;

function placeOf(cursor: unknown): Place {
  const [, fence, part, line] = /^(\d{1,9})-(\d{1,9})-(\d{1,9})$/.exec(String(cursor)) ?? [];
  if (line !== undefined) return { fence: Number(fence), part: Number(part), line: Number(line) };
  throw new InvalidOptionError(
    'cursor',
    'must be the cursor or the tail that came with the page before, of the same run.',
  );
}
