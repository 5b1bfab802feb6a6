import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import {
  ChronisModule,
  getChronisEventsToken,
  getRedactorToken,
  getTracingToken,
  knownOptions,
  type ChronisEvents,
  type InjectionToken,
  type Redactor,
  type Tracing,
} from '../index.js';
import { loadOpenTelemetry } from './opentelemetry.js';
import { OtelTracer } from './otel.tracer.js';
import { SpanErrors } from './span.errors.js';
import {
  tracingKeys,
  tracingSettings,
  type ChronisTracingOptions,
  type ChronisTracingPlace,
} from './tracing.options.js';

/** Options that are made by the injector. @publicApi */
export interface ChronisTracingAsyncOptions extends ChronisTracingPlace, Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => ChronisTracingOptions | Promise<ChronisTracingOptions>;
}

const optionsToken = Symbol('tracingOptions');
const tracer = Symbol('tracer');

/**
 * Makes spans of attempts, of their durable steps and of the calls that create jobs, by the API of OpenTelemetry; the SDK is the application's. Import it beside ChronisModule in each process that runs or creates jobs.
 *
 * @example
 * imports: [ChronisTracingModule.forRoot(), ChronisModule.forRoot()]
 * @publicApi
 */
@Module({})
export class ChronisTracingModule {
  /** Throws InvalidOptionError; at the boot where @opentelemetry/api is not installed. */
  static forRoot(options: ChronisTracingOptions & ChronisTracingPlace = {}): DynamicModule {
    const owner = 'ChronisTracingModule.forRoot()';
    knownOptions(options, [...tracingKeys, 'instance'], owner);
    const { instance, ...rest } = options;
    tracingSettings(rest, owner);
    return assemble([{ provide: optionsToken, useValue: rest }], instance);
  }

  /** The same with options that a factory makes. */
  static forRootAsync(options: ChronisTracingAsyncOptions): DynamicModule {
    knownOptions(
      options,
      ['imports', 'inject', 'useFactory', 'instance'],
      'ChronisTracingModule.forRootAsync()',
    );
    const { imports = [], inject = [], useFactory, instance } = options;
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], instance, imports);
  }
}

function assemble(
  options: Provider[],
  instance: string | undefined,
  imports: NonNullable<ModuleMetadata['imports']> = [],
): DynamicModule {
  const tokens = [getTracingToken(instance), getChronisEventsToken(instance), getRedactorToken(instance)];
  return {
    module: ChronisTracingModule,
    imports: [...imports, ChronisModule.forFeature(instance === undefined ? {} : { instance })],
    providers: [
      ...options,
      {
        provide: tracer,
        inject: [...tokens, optionsToken] as never[],
        useFactory: (
          tracing: Tracing,
          events: ChronisEvents,
          redactor: Redactor,
          given: ChronisTracingOptions,
        ) => {
          const settings = tracingSettings(given, 'ChronisTracingModule');
          const api = loadOpenTelemetry();
          const made = new OtelTracer(
            api,
            settings,
            new SpanErrors(api, settings.messages ? redactor : null),
          );
          tracing.use(made);
          if (settings.notRun === 'span') events.on('gap.recorded', (gap) => made.notRun(gap));
          return made;
        },
      },
    ],
  };
}
