import type { Redactor } from '../events/redactor.js';
import { InvalidOptionError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import { mostDetailBytes } from '../model/run.progress.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import type { NewRunProgress } from '../ports/run.progress.js';
import { described } from '../triggers/refuse.js';
import { storableJson } from './log.line.js';

/** A report with the run that it is on, and what it takes. */
export interface Reported {
  run: ClaimedRun;
  report: NewRunProgress;
  bytes: number;
}

/** Who writes how far attempts are. */
export interface ProgressWriter {
  redactor: Redactor;
  now: () => EpochMs;
  /** There is something to be written. */
  note: (progress: AttemptProgress) => void;
}

/** What a report takes beside its details, about. */
const reportOverhead = 64;
const place = 'context.progress()';

/** How far an attempt says it is: what it said last waits to be written, and replaces what it said before. Made by the first call. */
export class AttemptProgress {
  private last: { at: EpochMs; fraction: number; json: string | null } | null = null;
  private isOver = false;

  constructor(
    private readonly run: ClaimedRun,
    private readonly writer: ProgressWriter,
  ) {}

  /** See `RunContext.progress`. Throws InvalidOptionError. */
  report(fraction: unknown, details: unknown): void {
    const last = { at: this.writer.now(), fraction: fractionOf(fraction), json: jsonOf(details) };
    if (this.isOver) return;
    const isFirst = this.last === null;
    this.last = last;
    if (isFirst) this.writer.note(this);
  }

  /** What comes later is passed over; what is there is still written. */
  end(): void {
    this.isOver = true;
  }

  /** What it said last, once. */
  take(): Reported[] {
    const { run, last } = this;
    this.last = null;
    if (last === null) return [];
    const { id: runId, fence, worker, attempt } = run;
    const { at, fraction, json } = last;
    const details = json === null ? null : this.storable(json);
    const bytes = reportOverhead + (json?.length ?? 0);
    return [{ run, report: { runId, fence, worker, attempt, at, fraction, details }, bytes }];
  }

  private storable(json: string): JsonObject {
    const text = storableJson(JSON.parse(json) as object, this.writer.redactor, 'details');
    return JSON.parse(text) as JsonObject;
  }
}

function fractionOf(fraction: unknown): number {
  if (typeof fraction === 'number' && fraction >= 0 && fraction <= 1) return fraction;
  throw new InvalidOptionError(
    place,
    `takes how much is done as a number from 0 to 1, but was given ${described(fraction)}. Divide what is done by all that there is: progress(done / total).`,
  );
}

/** As it is at the call: the object may change later. */
function jsonOf(details: unknown): string | null {
  if (details === undefined || details === null) return null;
  if (typeof details !== 'object' || Array.isArray(details))
    throw new InvalidOptionError(
      place,
      `takes details as an object, such as { rows: 500 }, but was given ${described(details)}.`,
    );
  const json = written(details);
  const size = Buffer.byteLength(json);
  if (size <= mostDetailBytes) return json;
  throw new InvalidOptionError(
    place,
    `takes details of up to ${mostDetailBytes} bytes as JSON, but was given ${size}. Give numbers and short texts, and write the rest by context.log().`,
  );
}

function written(details: object): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(details) as string | undefined;
  } catch (cause) {
    const problem = `takes details that can be written as JSON: ${(cause as Error).message}`;
    throw Object.assign(new InvalidOptionError(place, problem), { cause });
  }
  if (json?.startsWith('{')) return json;
  throw new InvalidOptionError(
    place,
    'takes details that are an object as JSON, too, but their toJSON() gives none.',
  );
}
