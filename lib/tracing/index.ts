// The door `nestjs-chronis/tracing`: what Chronis does, for OpenTelemetry.
export { ChronisTracingModule } from './tracing.module.js';
export type { ChronisTracingAsyncOptions } from './tracing.module.js';
export type { ChronisTracingOptions, ChronisTracingPlace } from './tracing.options.js';
