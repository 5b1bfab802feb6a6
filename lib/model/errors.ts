// Everything that Chronis throws, by topic.
export * from './chronis.error.js';
export * from './definition.errors.js';
export * from './job.errors.js';
export * from './handler.errors.js';
export * from './schedule.errors.js';
export * from './run.errors.js';
export * from './scheduler.errors.js';
export * from './task.errors.js';
export * from './workflow.errors.js';
