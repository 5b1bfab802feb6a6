/**
 * Errors of runs that end as `lost` although their worker lives: with `recovery: 'abandon'` a run that was handed to a worker is never handed to another one.
 */
export const abandoned = {
  /** The worker stopped while the handler ran. */
  running: 'The worker stopped before the run had ended, and it must not run twice.',
  /** The worker could not begin it, or does not know that it was given the run. */
  unstarted: 'The worker gave the run back before it began, and it must not be handed to another.',
} as const;
