import { stoppedBy } from '../model/pause.js';
import type { Run } from '../model/run.js';
import type { JobStore, RunStep, StoredPause, WorkerInfo } from '../ports/storage.adapter.js';
import { pausedWhat } from '../scheduler/explaining.words.js';

/** What holds runs back, when it was asked. */
export interface Surroundings {
  now: number;
  pauses: readonly StoredPause[];
  /** Of the app of the workflow that live. */
  workers: readonly WorkerInfo[];
}

type Reader = Pick<JobStore, 'now' | 'queryPauses' | 'queryRunSteps' | 'queryWorkers'>;
type Waiting = Pick<
  Run,
  | 'id'
  | 'state'
  | 'nominalAt'
  | 'dueAt'
  | 'attempt'
  | 'fence'
  | 'lastError'
  | 'handler'
  | 'queue'
  | 'namespace'
>;

/** `app`: null: of any. */
export async function surroundingsOf(app: string | null, storage: Reader): Promise<Surroundings> {
  const now = await storage.now();
  const [pauses, workers] = [await storage.queryPauses(), await storage.queryWorkers()];
  const live = ({ leaseUntil, app: own }: WorkerInfo): boolean =>
    leaseUntil.getTime() > now && (app === null || own === app);
  return { now, pauses, workers: workers.filter(live) };
}

/** Why a step's run that waits, or is paused, does not begin: what it waits for itself, then what holds it back. Null: it is paused by nothing but its workflow. */
export async function whyWaiting(
  run: Waiting,
  surroundings: Surroundings,
  storage: Reader,
): Promise<string | null> {
  const itself = run.state === 'waiting' ? await ownReason(run, surroundings.now, storage) : null;
  const reasons = [itself, hindrance(run, surroundings)].filter((reason) => reason !== null);
  if (reasons.length > 0) return reasons.join(' ');
  return run.state === 'paused' ? null : 'It waits for a worker.';
}

/** Null: it is due. */
async function ownReason(run: Waiting, now: number, storage: Reader): Promise<string | null> {
  const { id, attempt, fence, nominalAt, lastError } = run;
  // An attempt that sleeps is not counted, its claim is.
  const hasBegun = fence > 0;
  // What no worker can execute is put off meanwhile.
  const dueAt = hasBegun ? run.dueAt : nominalAt;
  if (dueAt !== null && dueAt.getTime() <= now) return null;
  if (hasBegun) {
    // Their results may be too many to be read in time: then it is told without them.
    const steps = await storage.queryRunSteps(id).catch(() => []);
    const waits = steps.filter((step) => step.finishedAt === null && step.attempt >= attempt);
    const reasons = waits.flatMap((step) => durableReason(step) ?? []);
    if (reasons.length > 0) return reasons.slice(0, mostReasons).join(' ');
  }
  if (dueAt === null) return 'It waits for a signal.';
  const time = dueAt.toISOString();
  if (attempt === 0 || lastError === null) return `It is due at ${time}.`;
  return `It is tried again at ${time}: its attempt ${attempt} has failed by "${lineOf(lastError)}".`;
}

const mostReasons = 3;

/** Null: it waits for nothing. */
function durableReason({ name, kind, signal, until, error }: RunStep): string | null {
  const time = until === null ? null : new Date(until).toISOString();
  if (kind === 'signal')
    return `It waits for the signal "${signal}"${time === null ? '' : ` until ${time}`}.`;
  if (time === null) return null;
  if (kind === 'sleep') return `It sleeps until ${time}.`;
  const why = error === null ? '' : `: it has failed by "${lineOf(error)}"`;
  return `Its durable step "${name}" is tried again at ${time}${why}.`;
}

const lineOf = (error: string): string => error.split('\n', 1)[0]!;

function hindrance(run: Waiting, { pauses, workers }: Surroundings): string | null {
  const by = stoppedBy(pauses, run);
  if (by !== null) return `${pausedWhat(by, run)}: it begins once that is resumed.`;
  if (run.state === 'paused') return null;
  const { handler, queue } = run;
  const able = workers.filter(({ handlers }) => handlers.includes(handler));
  if (able.length === 0)
    return `It waits for a worker that has its handler "${handler}": none that lives has.`;
  if (able.some(({ queues }) => queues.includes(queue))) return null;
  return `It waits for a worker that takes from its queue "${queue}": none that lives and has its handler "${handler}" does.`;
}
