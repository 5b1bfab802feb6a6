// The door `nestjs-chronis/health`: whether this process lives, is ready, and is well.
export { ChronisHealth } from './chronis.health.js';
export type { FoundReason, HealthAnswer, HealthWord, LiveAnswer, ReadyAnswer } from './health.answers.js';
export { ChronisHealthIndicator } from './health.indicator.js';
export type { HealthIndication } from './health.indicator.js';
export { ChronisHealthModule } from './health.module.js';
export type { ChronisHealthAsyncOptions } from './health.module.js';
export type { ChronisHealthOptions, ChronisHealthRoute } from './health.options.js';
