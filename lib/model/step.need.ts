/**
 * What becomes of a step when too few of its parents can still end well: it waits for ever, so that the workflow fails with it `blocked` · it is cancelled, which is no good end for what comes after it · it runs once all of
 * them have ended. Of a job with `after` the same; one that waits for what can never succeed any more is cancelled. @publicApi
 */
export type Otherwise = 'block' | 'cancel' | 'run';

/** How many of its parents have to end well before a step, or a job with `after`, begins. One that was skipped is as if it were not there: of those that are left as many, or all if they are fewer. @publicApi */
export type StepNeed = 'all' | 'any' | number;
