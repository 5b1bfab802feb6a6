import type { SpanContext } from '@opentelemetry/api';
import type { OpenTelemetry } from './opentelemetry.js';

/** The text of a trace, see `TraceCarrier`; undefined: it is none. */
export function textOf(api: OpenTelemetry, context: SpanContext | undefined): string | undefined {
  if (context === undefined || !api.isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = context;
  const parent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  const state = traceState?.serialize() ?? '';
  return state === '' ? parent : `${parent} ${state}`;
}

/** What `textOf` has made a text of, here or in another process. */
export function contextOf(api: OpenTelemetry, text: string): SpanContext {
  const [parent, state] = text.split(' ', 2);
  const [, traceId, spanId, flags] = parent!.split('-');
  return {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16),
    isRemote: true,
    ...(state !== undefined && { traceState: api.createTraceState(state) }),
  };
}
