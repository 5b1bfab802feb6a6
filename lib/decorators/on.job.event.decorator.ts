import type { EventFilter } from '../events/event.filter.js';
import type { EventSelector, SelectedEvent, SelectedName } from '../events/event.names.js';
import type { EventOrigin, ListenOptions } from '../events/event.origin.js';
import { annotates, annotationsOf, assertCalled } from './annotation.js';

/** Which of the events a method is called for: those that meet all conditions. @publicApi */
export interface OnJobEventOptions extends EventFilter, ListenOptions {
  /** The ChronisModule whose events are meant, by its name. @default the one without a name */
  instance?: string;
}

/** Fits methods that take the event, or nothing. */
export type EventMethodDecorator<S extends EventSelector> = <
  M extends (event: SelectedEvent<S>, origin: EventOrigin<SelectedName<S>>) => unknown,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** What one decorator says about its method. Nothing is checked before the application boots. */
export interface EventAnnotation {
  events: EventSelector | readonly EventSelector[];
  options: OnJobEventOptions;
}

const metadataKey = 'chronis:listeners';

/**
 * Calls the method for events of this process: `@OnJobEvent('failed', { queue: 'mail' })`, `@OnJobEvent(['run.failed', 'run.timed_out'])`, `@OnJobEvent('run.*')`. What it
 * throws, or rejects with, becomes the event `listener.failed` and affects no run. A request-scoped provider is made anew for each
 * event, which is its request. Mistakes are reported when the application boots. @publicApi
 */
export function OnJobEvent<S extends EventSelector>(
  events: S | readonly S[],
  options: OnJobEventOptions = {},
): EventMethodDecorator<S> {
  assertCalled('@OnJobEvent', [events, options]);
  const annotation: EventAnnotation = { events, options };
  return annotates(metadataKey, '@OnJobEvent', annotation) as EventMethodDecorator<S>;
}

/** What is said on this very method: one that overrides another does not inherit its events. */
export function eventAnnotationsOf(prototype: object, method: string): readonly EventAnnotation[] {
  return annotationsOf(metadataKey, prototype, method) as readonly EventAnnotation[];
}
