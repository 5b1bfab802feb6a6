import type { RunLogLevel } from '../model/run.log.js';
import type { Redactor } from '../events/redactor.js';
import { isError } from '../events/thrown.parts.js';
import type { ClaimedRun } from '../model/run.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import {
  lineOverhead,
  mostPartBytes,
  mostPartLines,
  type NewRunLogPart,
  type LoggedLine,
} from '../ports/run.logs.js';
import { BoundedLines } from './bounded.lines.js';
import { logLine, type MeasuredLine } from './log.line.js';
import type { HandlerLogger, RunLogger } from './run.context.js';

/** Who writes what attempts have logged. */
export interface LogWriter {
  now: () => EpochMs;
  /** There is something to be written. */
  note: (log: AttemptLog) => void;
}

/**
 * What a handler logs: told to the logger of the process at once, and kept for the log of the run, which is written beside. There is one for each attempt, and nothing in it before the first line.
 */
export class AttemptLog implements RunLogger {
  private buffer: BoundedLines | null = null;
  private parts = 0;
  private isOver = false;

  constructor(
    private readonly run: ClaimedRun,
    private readonly process: HandlerLogger,
    /** Null: nothing is kept. */
    private readonly writer: LogWriter | null,
    private readonly redactor: Redactor,
  ) {}

  verbose(message: unknown, ...more: unknown[]): void {
    this.tell('verbose', message, more);
  }

  debug(message: unknown, ...more: unknown[]): void {
    this.tell('debug', message, more);
  }

  log(message: unknown, ...more: unknown[]): void {
    this.tell('log', message, more);
  }

  warn(message: unknown, ...more: unknown[]): void {
    this.tell('warn', message, more);
  }

  error(message: unknown, ...more: unknown[]): void {
    this.tell('error', message, more);
  }

  fatal(message: unknown, ...more: unknown[]): void {
    this.tell('fatal', message, more);
  }

  /** See `RunContext.log`. */
  note(message: unknown, fields: object | null): void {
    const measured = this.keep('log', message, fields);
    const { line } = measured;
    this.process.log(
      line.fields === undefined ? line.message : `${line.message} ${JSON.stringify(line.fields)}`,
    );
  }

  /** Whether there is something in the log of the run. */
  get hasLogged(): boolean {
    return this.buffer !== null;
  }

  /** What comes later is told, and not kept. */
  end(): void {
    this.isOver = true;
  }

  /** What was kept since the last time, in parts that are written together. */
  take(): NewRunLogPart[] {
    const { id: runId, fence, worker, attempt } = this.run;
    const taken: NewRunLogPart[] = [];
    for (const some of inParts(this.buffer?.take() ?? [])) {
      const bytes = some.reduce((sum, line) => sum + line.bytes + lineOverhead, 0);
      const lines: LoggedLine[] = some.map(({ line }) => line);
      const { dropped } = some[0]!;
      taken.push({ runId, fence, worker, attempt, part: this.parts++, lines, bytes, dropped });
    }
    return taken;
  }

  private tell(level: RunLogLevel, message: unknown, more: readonly unknown[]): void {
    const { process } = this;
    // A logger of the application may lack what is optional in Nest.
    const write = process[level] ?? process.log;
    Reflect.apply(write, process, [message, ...more]);
    this.keep(level, message, fieldsOf(level, more));
  }

  private keep(level: RunLogLevel, message: unknown, fields: object | null): MeasuredLine {
    const { writer } = this;
    const measured = logLine(writer === null ? 0 : writer.now(), level, message, fields, this.redactor);
    if (writer === null || this.isOver) return measured;
    this.buffer ??= new BoundedLines();
    const isFirst = this.buffer.isEmpty;
    this.buffer.add(measured);
    if (isFirst) writer.note(this);
    return measured;
  }
}

/** Objects are fields; a text behind an error is its stack, another one the context of Nest's loggers. */
function fieldsOf(level: RunLogLevel, more: readonly unknown[]): object | null {
  let fields: Record<string, unknown> | null = null;
  for (const each of more) {
    if (each === undefined || each === null) continue;
    fields ??= {};
    if (isError(each)) fields.error = each;
    else if (typeof each === 'object' && !Array.isArray(each)) Object.assign(fields, each);
    else if (typeof each !== 'string') fields.value = each;
    else if (level === 'error' && fields.stack === undefined) fields.stack = each;
    else fields.context = each;
  }
  return fields;
}

function* inParts(lines: readonly MeasuredLine[]): Iterable<MeasuredLine[]> {
  let part: MeasuredLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = line.bytes + lineOverhead;
    const isFull = part.length === mostPartLines || bytes + size > mostPartBytes;
    if (part.length > 0 && (isFull || line.dropped > 0)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(line);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
