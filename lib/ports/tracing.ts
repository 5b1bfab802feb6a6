import type { ClaimedRun, RunOrigin } from '../model/run.js';
import type { Outcome } from '../model/verdict.js';

/**
 * Tells in which trace something is asked for, as text: a `traceparent` of W3C Trace Context, and behind a space the `tracestate` where there is one. @publicApi
 */
export abstract class TraceCarrier {
  /** Of the trace that is going on where it is called; undefined: none is. */
  abstract current(): string | undefined;
}

/**
 * Why a trace leads to an attempt. `creation`: its job was created in it, or it was run now or retried in it · `run`: the run whose verdict called it back · `workflow`: the attempt that opened the workflow of which it is a
 * step, or in what that was retried · `attempt`: the attempt before, of its run · `retry`: the last attempt of the run that it retries. @publicApi
 */
export type TraceLinkKind = 'creation' | 'run' | 'workflow' | 'attempt' | 'retry';

/** A trace that led to an attempt. @publicApi */
export interface TraceLink {
  kind: TraceLinkKind;
  /** See `TraceCarrier`. */
  trace: string;
}

/** An attempt that is about to begin. @publicApi */
export interface BegunAttempt {
  runId: string;
  jobId: string;
  namespace: string;
  handler: string;
  queue: string;
  origin: RunOrigin;
  worker: string;
  /** From 1. */
  attempt: number;
  nominalAt: Date;
  /** How long after its nominal time it begins; of a later attempt after it was due. */
  latenessMs: number;
  links: readonly TraceLink[];
}

/** The trace of an attempt. @publicApi */
export interface AttemptTrace {
  /** See `TraceCarrier`; undefined: it is not traced. */
  readonly text: string | undefined;
  /** Calls `work` in the trace. */
  run<T>(work: () => T): T;
  /** Called once. `outcome` null: it lost its run. `error`: what it threw, or why it was given up; null: nothing. */
  end(outcome: Outcome | null, error: unknown): void;
}

/** One-offs that are about to be stored, by one call. @publicApi */
export interface SentJobs {
  /** Of the first of them. */
  queue: string;
  /** Of the first of them. */
  jobId: string;
  count: number;
}

/** Makes traces of what a scheduler does. Its methods throw what `work` throws, and nothing else. @publicApi */
export abstract class RunTracer extends TraceCarrier {
  /** False: nothing is traced at present, and nothing else is asked of it. */
  abstract readonly isOn: boolean;
  /** Calls `work`, which stores jobs: what is going on there by then, they carry. */
  abstract send<T>(jobs: SentJobs, work: () => Promise<T>): Promise<T>;
  abstract begin(attempt: BegunAttempt): AttemptTrace;
  /** Calls `work`, a durable step of the attempt that is going on. */
  abstract step<T>(name: string, work: () => T): T;
  /** Calls `work`, which is the scheduler's own, in no trace. */
  abstract apart<T>(work: () => T): T;
}

const traceparent = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
/** Printable, and nothing else. */
const tracestate = /^[\x20-\x7e]+$/;
const longestState = 512;

/** The trace as it may be stored: without a `tracestate` that is longer than 512 characters or not plain text; undefined: it is none. */
export function storableTrace(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const [parent = '', ...rest] = given.split(' ');
  if (!traceparent.test(parent)) return undefined;
  const state = rest.join(' ').trim();
  return state.length > 0 && state.length <= longestState && tracestate.test(state)
    ? `${parent} ${state}`
    : parent;
}

/** The `traceparent` of a trace. */
export function traceParentOf(trace: string): string {
  return trace.split(' ', 1)[0]!;
}

/** What traces that a run carries mean to its next attempt. */
export function linksOf({ trace, origin, fence, flowStep }: ClaimedRun): TraceLink[] {
  if (trace === undefined) return [];
  const { parent, last } = trace;
  const asked = origin === 'callback' ? 'run' : flowStep === undefined ? 'creation' : 'workflow';
  // Each claim of a run has a higher fence, and a retry is a new run.
  const before = origin === 'retry' && fence === 1 ? 'retry' : 'attempt';
  return [
    ...(parent === null ? [] : [{ kind: asked, trace: parent } as const]),
    ...(last === null ? [] : [{ kind: before, trace: last } as const]),
  ];
}
