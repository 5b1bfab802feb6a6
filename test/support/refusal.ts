import type { SchedulerService } from '../../lib/index.js';

/** A call that must be refused: what it is, the call, the class and the (beginning of the) text of its error. */
export type Refusal = [
  what: string,
  call: (scheduler: SchedulerService) => Promise<unknown>,
  type: new (...args: never[]) => Error,
  message: string,
];

/** Lets the compiler accept what a caller without types may give. */
export const wrong = (value: unknown): never => value as never;

/** What is right about a job of which something else is wrong. */
export const work = { handler: 'work', every: '1h' };
