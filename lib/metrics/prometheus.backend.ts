import { InvalidOptionError } from '../index.js';
import { MetricsBackend, type Instrument, type Labels, type MetricSpec } from './instruments.js';
import type { MetricsRegistry } from './metrics.options.js';

/** What is used of prom-client. */
export interface PromClient {
  Registry: new () => MetricsRegistry;
  Counter: new (config: object) => PromMetric;
  Gauge: new (config: object) => PromMetric;
  Histogram: new (config: object) => PromMetric;
}

interface PromMetric {
  labelNames: readonly string[];
  inc?(labels: Labels, value: number): void;
  set?(labels: Labels, value: number): void;
  observe?(labels: Labels, value: number): void;
  reset(): void;
}

/** Those who want to know of readings of a registry, on its first metric: known by name, as the package may be loaded twice. */
const readers = Symbol.for('nestjs-chronis.metrics.readers');

type Watched = PromMetric & { [readers]?: Set<() => void> };

/** Throws InvalidOptionError: it is not installed. */
export function loadPromClient(): PromClient {
  try {
    return require('prom-client') as PromClient;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new InvalidOptionError(
      'ChronisMetricsModule',
      `needs prom-client: npm install prom-client@^15.1.3 (${why}).`,
    );
  }
}

/** Metrics in a registry of prom-client. */
export class PrometheusBackend extends MetricsBackend {
  constructor(
    private readonly client: PromClient,
    readonly registry: MetricsRegistry,
    private readonly prefix: string,
  ) {
    super();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  instrument({ name, type, help, labels, buckets }: MetricSpec): Instrument {
    const { client, registry } = this;
    const whole = this.prefix + name;
    const known = registry.getSingleMetric(whole) as PromMetric | undefined;
    if (known !== undefined) return this.again(known, whole, type, labels);
    const config = { name: whole, help, labelNames: labels, registers: [registry] };
    switch (type) {
      case 'counter':
        return writer(new client.Counter(config), type);
      case 'gauge':
        return writer(new client.Gauge({ ...config, ...this.watching(whole) }), type);
      case 'histogram':
        return writer(new client.Histogram({ ...config, buckets }), type);
    }
  }

  onRead(listener: () => void): () => void {
    const watched = this.registry.getSingleMetric(this.prefix + first) as Watched;
    const set = (watched[readers] ??= new Set());
    set.add(listener);
    return () => set.delete(listener);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Made by another module on the same registry, or by one that is gone. */
  private again(
    known: PromMetric,
    name: string,
    type: MetricSpec['type'],
    labels: readonly string[],
  ): Instrument {
    const method = methodOf[type];
    const isAlike =
      typeof known[method] === 'function' &&
      [...known.labelNames].toSorted().join() === [...labels].toSorted().join();
    if (isAlike) return writer(known, type);
    throw new InvalidOptionError(
      'registry',
      `has a metric "${name}" already that is not of Chronis: give a "prefix".`,
    );
  }

  /** The first metric is read first, so all that is told then is in what is read. */
  private watching(name: string): object {
    if (name !== this.prefix + first) return {};
    return {
      collect(this: Watched): void {
        for (const listener of this[readers] ?? []) listener();
      },
    };
  }
}

/** Asked for before all others. */
export const first = 'scheduler_up';

const methodOf = { counter: 'inc', gauge: 'set', histogram: 'observe' } as const;
const noLabels: Labels = {};

function writer(metric: PromMetric, type: MetricSpec['type']): Instrument {
  const method = methodOf[type];
  return {
    record: (value, labels = noLabels) => metric[method]!(labels, value),
    clear: () => metric.reset(),
  };
}
