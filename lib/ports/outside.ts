/** Stands for a worker where a run gets its verdict from outside: in `Attempt.worker`, and in events. */
export const outside = 'outside';
