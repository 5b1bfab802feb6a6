import type { DiscoveryService } from '@nestjs/core';
import type { PriorityInput } from '../model/priority.js';
import { knownOptions } from '../scheduler/option.checks.js';

type Host = NonNullable<ReturnType<DiscoveryService['getProviders']>[number]['host']>;

/** What the declarations of a module's providers say unless they say it themselves. @publicApi */
export interface ChronisFeatureOptions {
  /** @default 'default' */
  queue?: string;
  /** @default 'default' */
  namespace?: string;
  /** @default 5 */
  priority?: PriorityInput;
  /** IANA name. @default that of the root module */
  timeZone?: string;
  /** As if the decorators of schedules were not there. @default false */
  disabled?: boolean;
  /** Whether guards, interceptors and exception filters of Nest are applied. @default that of the root module */
  useEnhancers?: boolean;
  /** The ChronisModule that they belong to, by its name. @default the one without a name */
  instance?: string;
}

/** The token of the options, in the module that `forFeature` makes. */
export const featureOptions = Symbol.for('nestjs-chronis.featureOptions');

const ofMethods = ['useEnhancers', 'instance'] as const;
const ofJobs = ['queue', 'namespace', 'priority', 'timeZone', 'disabled'] as const;

/** The options, without what is undefined. Throws InvalidOptionError for one that is unknown. */
export function featureOptionsOf(given: ChronisFeatureOptions): ChronisFeatureOptions {
  knownOptions(given, [...ofJobs, ...ofMethods], 'ChronisModule.forFeature()');
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The defaults of the module's declarations: those for handlers and listeners alone have only what methods have. */
export function featureDefaults(
  host: Host | undefined,
  kind: 'schedule' | 'handler' | 'listener',
): ChronisFeatureOptions {
  const found = [...(host?.imports ?? [])].map(
    (module) => module.providers.get(featureOptions)?.instance as ChronisFeatureOptions | undefined,
  );
  const all: ChronisFeatureOptions = Object.assign({}, ...found);
  const keys = { schedule: [...ofJobs, ...ofMethods], handler: ofMethods, listener: ['instance'] as const }[
    kind
  ];
  return Object.fromEntries(keys.filter((key) => key in all).map((key) => [key, all[key]]));
}
