import { isDeepStrictEqual } from 'node:util';
import { InvalidOptionError, type Job } from '../../index.js';
import { HttpProblem } from '../problem.js';
import type { Call } from '../route.js';
import { sumOf } from '../sum.js';

/** So long a key counts, where the job itself would be gone with its run. */
const keptWithKey = '1d';

/** Creates the job that the body says. With an `Idempotency-Key` once, however often it is sent. */
export async function createJob(call: Call): Promise<Job> {
  const { note: _, ...options } = call.body;
  if (call.idempotencyKey === null) return call.scheduler.createJob(options as never);
  if (options.onConflict !== undefined)
    throw new InvalidOptionError(
      'onConflict',
      'contradicts Idempotency-Key, with which a job that is there is the answer. Leave one of them out.',
    );
  const { id = idOf(call.idempotencyKey, call), keep = keptWithKey } = options;
  const job = await call.scheduler.createJob({
    ...options,
    ...(isOnce(options) && { keep }),
    id,
    onConflict: 'ignore',
  } as never);
  const { handler, payload = null } = options;
  const isSame =
    handler === undefined || (job.handler === handler && isDeepStrictEqual(job.payload, payload));
  if (isSame) return job;
  throw new HttpProblem(
    422,
    'http.idempotency-key-reused',
    `The job ${JSON.stringify(id)} was created with this Idempotency-Key before, with another handler or payload. Give each job a key of its own.`,
  );
}

/** The same for the same key of the same caller. */
function idOf(key: string, { by }: Call): string {
  return `key-${sumOf([by, key]).slice(0, 40)}`;
}

function isOnce({ at, in: later, after, trigger }: Readonly<Record<string, any>>): boolean {
  return [at, later, after].some((way) => way !== undefined) || ['at', 'after'].includes(trigger?.type);
}
