/** Of one series. */
export type Labels = Readonly<Record<string, string>>;

/** What is measured. */
export interface MetricSpec {
  /** Without the prefix. */
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** Upper bounds, of a histogram. */
  buckets?: readonly number[];
}

/** One metric, with all its series. */
export interface Instrument {
  /** Adds to a counter, sets a gauge, or is observed by a histogram. */
  record(value: number, labels?: Labels): void;
  /** Takes all series of a gauge away, before those that there are now are set. */
  clear(): void;
}

/** Where the numbers go: Prometheus today. Whatever else takes them has these methods. */
export abstract class MetricsBackend {
  abstract readonly contentType: string;
  /** One for each name: who asks for a name again gets the same. Throws InvalidOptionError where something else has that name. */
  abstract instrument(spec: MetricSpec): Instrument;
  /** Calls the listener when somebody reads, before anything is read. Returns the function that ends it. */
  abstract onRead(listener: () => void): () => void;
  abstract text(): Promise<string>;
}
