import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { EventAnnotation } from '../decorators/on.job.event.decorator.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import { eventFilter, type EventFilter } from '../events/event.filter.js';
import type { ChronisEventName } from '../events/event.map.js';
import { selectEvents } from '../events/event.names.js';
import type { EventOrigin } from '../events/event.origin.js';
import { ChronisError } from '../model/errors.js';
import { knownOptions, trueOrFalse } from '../scheduler/option.checks.js';
import { prefixMessage } from './declaration.reader.js';
import type { DeclaringProvider } from './declaring.provider.js';
import { instanceOf } from './instance.names.js';
import { distinctProviders } from './distinct.providers.js';
import type { LazyModules } from './lazy.modules.js';

const known = ['handler', 'queue', 'namespace', 'jobId', 'remote', 'instance'];

interface Listening {
  names: ChronisEventName[];
  listener: (event: object, origin: EventOrigin) => unknown;
  remote: boolean;
}

/** Finds the methods with `@OnJobEvent` and calls them. */
export class EventSubscriber {
  private readonly stops: (() => void)[] = [];
  /** Whose listeners are subscribed. */
  private readonly subscribed = new Set<unknown>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly events: ChronisEvents,
    private readonly instance: string,
    /** The names of all instances of the application. */
    private readonly known: () => readonly string[],
    private readonly lazy: LazyModules,
  ) {}

  /** Those that are not subscribed yet, when all providers exist. Throws what is wrong with a decorator, with the method's name in the message. */
  subscribe(): void {
    const providers = distinctProviders(
      this.discovery,
      (provider) => this.lazy.isReady(provider.module) && this.methodsOf(provider).length > 0,
    ).filter(({ source }) => !this.subscribed.has(source));
    const found = providers.flatMap((provider) =>
      this.methodsOf(provider).flatMap((method) => this.listeningsOf(provider, method)),
    );
    for (const { source } of providers) this.subscribed.add(source);
    for (const { names, listener, remote } of found) {
      for (const name of names) this.stops.push(this.events.on(name, listener, { remote }));
    }
  }

  unsubscribe(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  private listeningsOf(provider: DeclaringProvider, method: string): Listening[] {
    const call = provider.callWith(method);
    const known = this.known();
    return provider.eventAnnotationsOf(method).flatMap((annotation) => {
      try {
        if (instanceOf(annotation.options, known) !== this.instance) return [];
        const { names, matches, remote } = read(annotation);
        const listener = (event: object, origin: EventOrigin): unknown =>
          matches(event) ? call(event, event, origin) : undefined;
        return [{ names, listener, remote }];
      } catch (error) {
        if (error instanceof ChronisError) {
          prefixMessage(error, `@OnJobEvent on ${provider.className}.${method}: `);
        }
        throw error;
      }
    });
  }

  private methodsOf(provider: DeclaringProvider): string[] {
    return this.scanner
      .getAllMethodNames(provider.prototype)
      .filter((method) => provider.eventAnnotationsOf(method).length > 0);
  }
}

function read({ events, options }: EventAnnotation): {
  names: ChronisEventName[];
  matches: (event: object) => boolean;
  remote: boolean;
} {
  const names = selectEvents(events, 'events');
  const { remote = false, instance: _, ...filter } = knownOptions(options, known, '@OnJobEvent');
  return { names, matches: eventFilter(filter as EventFilter, names), remote: trueOrFalse(remote, 'remote') };
}
