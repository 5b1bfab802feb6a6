import type { Context, Link, Span, Tracer } from '@opentelemetry/api';
import { packageVersion, RunTracer, type AttemptTrace, type BegunAttempt, type SentJobs } from '../index.js';
import type { OpenTelemetry } from './opentelemetry.js';
import { attemptAttributes, notRunAttributes, sentAttributes, type NotRun } from './span.attributes.js';
import type { SpanErrors } from './span.errors.js';
import { contextOf, textOf } from './trace.text.js';
import type { TracingSettings } from './tracing.options.js';

/** The key by which the SDK, in each of its copies, finds that nothing is to be traced. */
const suppressed = 'OpenTelemetry SDK Context Key SUPPRESS_TRACING';
const failures: ReadonlySet<string> = new Set(['failed', 'timed_out', 'lost']);

/** Makes spans of what a scheduler does. Where the application has no SDK they are none, and nothing is carried. */
export class OtelTracer extends RunTracer {
  private readonly tracer: Tracer;
  private readonly own: Context;
  private hasSdk = false;

  constructor(
    private readonly api: OpenTelemetry,
    private readonly settings: Pick<TracingSettings, 'relationship'>,
    private readonly errors: SpanErrors,
  ) {
    super();
    // The provider may be registered later: this one looks for it by itself.
    this.tracer = api.trace.getTracer('nestjs-chronis', packageVersion);
    this.own = api.ROOT_CONTEXT.setValue(api.createContextKey(suppressed), true);
  }

  /** Whether the application has an SDK: it may come later, and stays. */
  get isOn(): boolean {
    if (this.hasSdk) return true;
    const provider = this.api.trace.getTracerProvider();
    this.hasSdk =
      !(provider instanceof this.api.ProxyTracerProvider) ||
      provider.getDelegateTracer('nestjs-chronis') !== undefined;
    return this.hasSdk;
  }

  current(): string | undefined {
    return textOf(this.api, this.api.trace.getActiveSpan()?.spanContext());
  }

  send<T>(jobs: SentJobs, work: () => Promise<T>): Promise<T> {
    if (this.current() === undefined) return work();
    const kind = this.api.SpanKind.PRODUCER;
    const span = this.tracer.startSpan(`send ${jobs.queue}`, { kind, attributes: sentAttributes(jobs) });
    return this.within(span, work);
  }

  begin(attempt: BegunAttempt): AttemptTrace {
    const { api, errors } = this;
    const [parent, links] = this.relationOf(attempt);
    const options = { kind: api.SpanKind.CONSUMER, attributes: attemptAttributes(attempt), links };
    const span = this.tracer.startSpan(`process ${attempt.handler}`, options, parent);
    const context = api.trace.setSpan(api.ROOT_CONTEXT, span);
    return {
      text: textOf(api, span.spanContext()),
      run: (work) => api.context.with(context, work),
      end: (outcome, error) => {
        span.setAttribute('messaging.chronis.verdict', outcome ?? 'unknown');
        if (outcome === null) errors.note(span, error, 'lease_lost');
        else if (failures.has(outcome)) {
          if (outcome === 'failed') errors.note(span, error);
          else errors.note(span, error, outcome);
        }
        span.end();
      },
    };
  }

  step<T>(name: string, work: () => T): T {
    const attributes = { 'messaging.chronis.step': name };
    return this.within(this.tracer.startSpan(`step ${name}`, { attributes }), work);
  }

  apart<T>(work: () => T): T {
    return this.api.context.with(this.own, work);
  }

  /** One span, without a length, in a trace of its own. */
  notRun(gap: NotRun): void {
    if (!this.isOn) return;
    const attributes = notRunAttributes(gap);
    const at = Date.now();
    this.tracer
      .startSpan(`${gap.verdict} ${gap.handler}`, { attributes, startTime: at }, this.api.ROOT_CONTEXT)
      .end(at);
  }

  /** In which context an attempt begins, and what it is linked to. */
  private relationOf({ links }: BegunAttempt): [parent: Context, links: Link[]] {
    const { api } = this;
    const { relationship } = this.settings;
    if (relationship === 'none') return [api.ROOT_CONTEXT, []];
    const all = links.map(({ kind, trace }) => ({ kind, context: contextOf(api, trace) }));
    const asked =
      relationship === 'parent' ? all.find(({ kind }) => kind !== 'attempt' && kind !== 'retry') : undefined;
    const others = all.filter((link) => link !== asked);
    return [
      asked === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, asked.context),
      others.map(({ kind, context }) => ({ context, attributes: { 'messaging.chronis.link': kind } })),
    ];
  }

  /** Ends the span with what `work` does, at once or later. */
  private within<T>(span: Span, work: () => T): T {
    const { api, errors } = this;
    const ended = (error: unknown): never => {
      errors.note(span, error);
      span.end();
      throw error;
    };
    let value: T;
    try {
      value = api.context.with(api.trace.setSpan(api.context.active(), span), work);
    } catch (error) {
      return ended(error);
    }
    if (!isThenable(value)) {
      span.end();
      return value;
    }
    return value.then((result) => {
      span.end();
      return result;
    }, ended) as T;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
