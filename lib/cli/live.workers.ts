import type { WorkerInfo } from '../index.js';
import type { Session } from './session.js';

/** Those whose lease has not ended, by the time of the storage. */
export async function liveWorkers(session: Pick<Session, 'workers' | 'now'>): Promise<WorkerInfo[]> {
  const [workers, now] = await Promise.all([session.workers(), session.now()]);
  return workers.filter(({ leaseUntil }) => leaseUntil > now);
}
