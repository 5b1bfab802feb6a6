import { AsyncResource } from 'node:async_hooks';
import { isOnce } from '../model/trigger.js';
import type { ClaimedRun } from '../model/run.js';
import type { NewJob, Settlement } from '../ports/storage.adapter.js';
import {
  linksOf,
  storableTrace,
  traceParentOf,
  type AttemptTrace,
  type RunTracer,
  type SentJobs,
} from '../ports/tracing.js';
import { isFirstStart } from './unstarted.js';

/** Where a tracer is put in: nothing is traced without one. @publicApi */
export class Tracing {
  private given: RunTracer | null = null;

  /** Before the first handler runs; the last one counts. */
  use(tracer: RunTracer): void {
    this.given = tracer;
  }

  private get tracer(): RunTracer | null {
    return this.given !== null && this.given.isOn ? this.given : null;
  }

  /** What is asked for now carries it; undefined: nothing. */
  current(): string | undefined {
    return storableTrace(this.tracer?.current());
  }

  /** Calls `store`, which stores these jobs: the one-offs of them carry the trace that is going on then. */
  storing<T>(jobs: readonly NewJob[], store: () => Promise<T>): Promise<T> {
    const { tracer } = this;
    if (tracer === null) return store();
    const sent = jobs.filter(({ trigger }) => isOnce(trigger));
    if (sent.length === 0) return store();
    const { queue, id: jobId } = sent[0]!;
    const about: SentJobs = { queue, jobId, count: sent.length };
    return tracer.send(about, () => {
      const trace = this.current();
      if (trace !== undefined) for (const job of sent) job.trace = trace;
      return store();
    });
  }

  /** Null: it is not traced. */
  begin(run: ClaimedRun, startedAt: number): AttemptTrace | null {
    const { tracer } = this;
    if (tracer === null) return null;
    const { jobId, namespace, handler, queue, origin, worker, attempt, nominalAt, dueAt } = run;
    return tracer.begin({
      ...{ runId: run.id, jobId, namespace, handler, queue, origin, worker, attempt },
      nominalAt: new Date(nominalAt),
      latenessMs: Math.max(startedAt - (isFirstStart(run) ? nominalAt : dueAt), 0),
      links: linksOf(run),
    });
  }

  /** Calls `work`, a durable step. */
  step<T>(name: string, work: () => T): T {
    const { tracer } = this;
    return tracer === null ? work() : tracer.step(name, work);
  }

  /** Calls `work`, which belongs to no run, in no trace. */
  apart<T>(work: () => T): T {
    const { tracer } = this;
    return tracer === null ? work() : tracer.apart(work);
  }
}

/** Where the loops of an engine live: not in the async context, nor in the trace, of whoever started it or has woken it. */
export class OwnScope {
  private readonly resource = new AsyncResource('ChronisEngine');

  constructor(private readonly tracing: Tracing) {}

  run<T>(work: () => T): T {
    return this.resource.runInAsyncScope(() => this.tracing.apart(work));
  }
}

/** What is carried on of an attempt: by its next one, by the steps of what it opens, by its callback. */
export function carriedOn(settlement: Settlement, trace: AttemptTrace | null): Settlement {
  const text = trace === null ? undefined : storableTrace(trace.text);
  if (text === undefined) return settlement;
  if (settlement.callback) settlement.callback.trace = text;
  // With a success or a cancel there is no other attempt.
  const { outcome } = settlement;
  if (outcome !== 'succeeded' && outcome !== 'cancelled') settlement.trace = text;
  return settlement;
}

/** The `traceparent` of an attempt: its own, else what it was asked for in; null: none. */
export function attemptTraceParent(run: ClaimedRun, trace: AttemptTrace | null): string | null {
  const text = trace?.text ?? run.trace?.parent ?? null;
  return text === null ? null : traceParentOf(text);
}
