// The door `nestjs-chronis/metrics`: what Chronis does, for Prometheus.
export { ChronisMetrics } from './chronis.metrics.js';
export { ChronisMetricsModule } from './metrics.module.js';
export type { ChronisMetricsAsyncOptions } from './metrics.module.js';
export type { ChronisMetricsOptions, ChronisMetricsRoute, MetricsRegistry } from './metrics.options.js';
