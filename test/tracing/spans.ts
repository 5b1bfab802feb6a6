import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

/** An SDK as an application has it, whose spans are kept here. */
export class Spans {
  private readonly exporter = new InMemorySpanExporter();

  /** For the process: until `uninstall`. */
  install(): this {
    const spanProcessors = [new SimpleSpanProcessor(this.exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    return this;
  }

  uninstall(): void {
    trace.disable();
    context.disable();
  }

  get all(): ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  named(name: string): ReadableSpan[] {
    return this.all.filter((span) => span.name === name);
  }

  reset(): void {
    this.exporter.reset();
  }
}

/** A span of the application's own, in which `work` is. */
export async function within<T>(name: string, work: (span: Span) => Promise<T>): Promise<T> {
  return trace.getTracer('application').startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } finally {
      span.end();
    }
  });
}

/** Where the span lies, and what leads to it: by the names of the spans that are there, or their ids. */
export function linksOf(span: ReadableSpan): Record<string, string> {
  return Object.fromEntries(
    span.links.map(({ context: { spanId }, attributes }) => [
      String(attributes?.['messaging.chronis.link']),
      spanId,
    ]),
  );
}

export const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId;
export const traceOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().traceId;
export const isError = ({ status }: ReadableSpan): boolean => status.code === SpanStatusCode.ERROR;
