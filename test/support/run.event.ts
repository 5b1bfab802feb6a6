import type { RunEvent } from '../../lib/events/event.map.js';

/** A run as events tell it, when it has ended. */
export const run: RunEvent & { durationMs: number } = {
  runId: '42',
  jobId: 'daily',
  namespace: 'default',
  handler: 'Reports.daily',
  queue: 'default',
  origin: 'schedule',
  nominalAt: new Date('2026-01-01T09:00:00Z'),
  attempt: 1,
  workerId: 'w',
  durationMs: 1_234,
};
