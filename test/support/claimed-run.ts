import type { ClaimedRun } from '../../lib/model/run.js';

/** A claimed run with plain values, changed by what is given. */
export function claimedRun(given: Partial<ClaimedRun> = {}): ClaimedRun {
  return {
    id: '1',
    worker: 'worker',
    fence: 1,
    attempt: 1,
    lostCount: 0,
    jobUid: null,
    jobId: 'job',
    jobName: null,
    namespace: 'default',
    app: null,
    handler: 'handler',
    queue: 'default',
    priority: 5,
    origin: 'at',
    payload: null,
    metadata: {},
    policies: {},
    timeZone: 'UTC',
    nominalAt: 1_000,
    dueAt: 1_000,
    missed: 0,
    ...given,
  };
}
