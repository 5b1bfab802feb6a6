import { createdJobKeys } from './job.definition.js';

/** What may be said of every job that is made at run time. */
export const commonKeys: readonly string[] = [
  ...createdJobKeys,
  'handler',
  'task',
  'onConflict',
  'allowUnknownHandler',
];
