/**
 * How long each lock is waited for, when one of the jobs or runs that were passed over is asked for once more: it may be so busy that there is no moment in which nothing of it is locked.
 */
export const insistMs = 300;
