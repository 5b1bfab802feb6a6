import fc from 'fast-check';
import { planMissing } from '../../../lib/discovery/missing.plan.js';
import { planSync } from '../../../lib/discovery/sync.plan.js';
import type { DeclaredJob } from '../../../lib/discovery/declared.job.js';
import { planFiring } from '../../../lib/engine/firing.plan.js';
import type { ClaimedRun } from '../../../lib/model/run.js';
import type { Policies } from '../../../lib/model/policies.js';
import type { Trigger } from '../../../lib/model/trigger.js';
import type { Outcome } from '../../../lib/model/verdict.js';
import type { ConflictPolicy, Firing, NewJob } from '../../../lib/ports/storage.adapter.js';
import { beginSchedule } from '../../../lib/scheduler/job.definition.js';
import type { UpdateJob } from '../../../lib/scheduler/create.options.js';
import { changesBy, resetOf } from '../../../lib/scheduler/declared.changes.js';
import { planResume } from '../../../lib/scheduler/resume.plan.js';
import { compileTrigger } from '../../../lib/triggers/compiled.trigger.js';
import type { Side } from './storage.pair.js';

/** One call of a storage. What it answers is compared, in words that both sides share. */
export interface StorageOperation {
  text: string;
  act: (side: Side) => Promise<unknown>;
}

const namespace = 'default';
const app = 'shop';
const second = 1_000;
const minute = 60 * second;
/** Where the clock of both stands at first: the instants below are around it. */
export const start = Date.UTC(2026, 0, 1);

const ids = fc.constantFrom('a', 'b', 'c');
const declaredIds = fc.constantFrom('d', 'e');
const zones = fc.constantFrom('UTC', 'Asia/Seoul', 'America/New_York');
const handlers = fc.constantFrom('work', 'other');
const queues = fc.constantFrom('default', 'side');

const triggers: fc.Arbitrary<Trigger> = fc.oneof(
  fc
    .constantFrom('* * * * *', '*/2 * * * *', '0 * * * *', '*/10 * * * * *')
    .chain((expression) => zones.map((timeZone): Trigger => ({ type: 'cron', expression, timeZone }))),
  fc.record({
    type: fc.constant('cron' as const),
    expression: fc.constant('* * * * *'),
    timeZone: zones,
    maxRuns: fc.integer({ min: 1, max: 3 }),
  }),
  fc.constant<Trigger>({
    type: 'interval',
    every: 30 * second,
    anchor: new Date(start).toISOString(),
    timeZone: 'UTC',
  }),
  fc.constant<Trigger>({
    type: 'interval',
    every: 30 * second,
    mode: 'fixed-delay',
    anchor: new Date(start).toISOString(),
    timeZone: 'UTC',
  }),
  fc.constant<Trigger>({ type: 'manual' }),
);
const instants: fc.Arbitrary<Trigger> = fc
  .tuple(fc.integer({ min: -2, max: 10 }), zones)
  .map(([nth, timeZone]) => ({
    type: 'at',
    at: new Date(start + nth * minute).toISOString(),
    timeZone,
  }));
const policies: fc.Arbitrary<Partial<Policies>> = fc.record(
  {
    overlap: fc.constantFrom('skip', 'allow', 'queue', 'cancel-running'),
    misfire: fc.constantFrom('once', 'skip', 'all'),
    recovery: fc.constantFrom('rerun', 'abandon'),
    misfireThresholdMs: fc.constantFrom(5 * second, 2 * minute),
    maxLost: fc.constantFrom(1, 3),
    onFailure: fc.constant({ handler: 'other' }),
    keepMs: fc.constantFrom(minute, 'none' as const),
  },
  { requiredKeys: [] },
);

const given = fc.record({
  trigger: fc.oneof(triggers, instants),
  handler: handlers,
  queue: queues,
  policies,
  priority: fc.integer({ min: 0, max: 9 }),
});
type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;

const worker = fc.nat({ max: 1 });
const aheads = fc.constantFrom(0, 0, 20 * second);

export const storageOperations: fc.Arbitrary<StorageOperation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(ids, given, fc.constantFrom<ConflictPolicy>('raise', 'ignore', 'replace'))
      .map(([id, wanted, policy]) => insert(id, wanted, policy)),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.uniqueArray(fc.tuple(declaredIds, given), { maxLength: 2, selector: ([id]) => id }),
        fc.boolean(),
        fc.oneof({ weight: 4, arbitrary: worker }, { weight: 1, arbitrary: fc.constant(null) }),
      )
      .map(([jobs, deletes, nth]) => sync(jobs, deletes, nth)),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, minute)
      .map((graceMs) =>
        operation(`orphan what nobody declares for ${graceMs} ms`, async (side) =>
          (await side.storage.orphanUndeclared(app, graceMs)).map(({ id }) => id).toSorted(),
        ),
      ),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(worker, aheads, fc.constantFrom(0, 100))
      .map(([nth, aheadMs, room]) => fire(nth, aheadMs, room)),
  },
  { weight: 10, arbitrary: fc.tuple(worker, aheads).map(([nth, aheadMs]) => claim(nth, aheadMs)) },
  {
    weight: 14,
    arbitrary: fc
      .tuple(
        fc.nat({ max: 5 }),
        fc.constantFrom<Outcome>(
          'succeeded',
          'succeeded',
          'failed',
          'timed_out',
          'cancelled',
          'handed_back',
          'snoozed',
        ),
        fc.option(fc.constantFrom(0, 20 * second)),
      )
      .map(([nth, outcome, retryInMs]) => settle(nth, outcome, retryInMs)),
  },
  { weight: 4, arbitrary: fc.nat({ max: 5 }).map(giveBack) },
  {
    weight: 12,
    arbitrary: fc
      .constantFrom(5 * second, 20 * second, minute, 3 * minute)
      .map((ms) => operation(`${ms / second} s pass`, (side) => side.subject.clock.advance(ms))),
  },
  {
    weight: 3,
    arbitrary: fc.constant(
      operation('release what is lost', async (side) =>
        (await side.storage.releaseLost()).runs
          .map(({ runId, verdict }) => `${side.ordinal(runId)} ${verdict}`)
          .toSorted(),
      ),
    ),
  },
  { weight: 2, arbitrary: worker.map(renew) },
  {
    weight: 1,
    arbitrary: worker.map((nth) =>
      operation(`worker ${nth} stops`, (side) => side.storage.unregister(side.workers[nth]!.workerId)),
    ),
  },
  { weight: 4, arbitrary: fc.oneof(ids, declaredIds).map(pause) },
  { weight: 4, arbitrary: fc.oneof(ids, declaredIds).map(resume) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        { kind: 'all' as const, name: '' },
        { kind: 'handler' as const, name: 'work' },
        { kind: 'queue' as const, name: 'side' },
      )
      .chain((scope) =>
        fc.constantFrom(
          operation(`pause ${scope.kind} ${scope.name}`, (side) =>
            side.storage.pauseScope(scope, { reason: null, by: null }),
          ),
          operation(`resume ${scope.kind} ${scope.name}`, (side) =>
            side.storage.resumeScope(scope, ({ namespace: space, ...job }, now) =>
              planResume(space, job, now, {}),
            ),
          ),
        ),
      ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.oneof(ids, declaredIds), given).map(([id, wanted]) => update(id, wanted)),
  },
  { weight: 3, arbitrary: declaredIds.map(reset) },
  {
    weight: 2,
    arbitrary: fc
      .oneof(ids, declaredIds)
      .map((id) => operation(`delete ${id}`, (side) => side.storage.deleteJob({ namespace, id }))),
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(ids, declaredIds)
      .map((id) => operation(`cancel ${id}`, (side) => side.storage.cancelJob({ namespace, id }))),
  },
  {
    weight: 3,
    arbitrary: fc
      .oneof(ids, declaredIds)
      .map((id) =>
        operation(`run ${id} now`, async (side) => (await side.storage.runNow({ namespace, id })) !== null),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.oneof(ids, declaredIds), fc.constantFrom('queue' as const, 'allow' as const))
      .map(([id, overlap]) => backfill(id, overlap)),
  },
  {
    weight: 2,
    arbitrary: fc
      .nat({ max: 5 })
      .chain((nth) => fc.constantFrom(ofDead('retry', nth), ofDead('discard', nth))),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }).map(recompute) },
);

function operation(text: string, act: StorageOperation['act']): StorageOperation {
  return { text, act };
}

async function newJob(
  side: Side,
  id: string,
  { policies: some, ...wanted }: Given,
  code: boolean,
): Promise<NewJob> {
  const now = await side.storage.now();
  const { trigger, nextAt } = beginSchedule({ namespace, id, trigger: wanted.trigger }, now, {});
  const isOneOff = trigger.type === 'at' && !code;
  const { keepMs, ...others } = some;
  return {
    ...wanted,
    id,
    namespace,
    name: null,
    timeZone: ('timeZone' in trigger ? trigger.timeZone : undefined) ?? 'UTC',
    payload: null,
    metadata: {},
    policies: isOneOff && keepMs !== undefined ? { ...others, keepMs } : others,
    source: code ? 'code' : 'api',
    app: code ? app : null,
    definitionHash: JSON.stringify([wanted, some]),
    trigger,
    nextAt,
  };
}

function insert(id: string, wanted: Given, policy: ConflictPolicy): StorageOperation {
  return operation(`insert ${id} ${policy} ${JSON.stringify(wanted)}`, async (side) => {
    const [result] = await side.storage.insertJobs([await newJob(side, id, wanted, false)], policy);
    return result!.status;
  });
}

/** `nth`: the worker; null: a process that is none. */
function sync(
  jobs: readonly (readonly [string, Given])[],
  deletes: boolean,
  nth: number | null,
): StorageOperation {
  return operation(
    `sync ${JSON.stringify(jobs)} ${deletes ? 'deleting' : 'keeping'} by ${nth === null ? 'nobody' : `worker ${nth}`}`,
    async (side) => {
      const declared: DeclaredJob[] = [];
      for (const [id, wanted] of jobs) {
        const {
          definitionHash: hash,
          source: _s,
          app: _a,
          nextAt: _n,
          newId: _i,
          ...definition
        } = await newJob(side, id, wanted, true);
        definition.trigger = wanted.trigger;
        declared.push({ definition, hash, previousIds: [], place: id } as unknown as DeclaredJob);
      }
      const result = await side.storage.syncDefinitions({
        app,
        setHash: JSON.stringify(jobs),
        workerId: nth === null ? null : side.workers[nth]!.workerId,
        declarations: declared.map(({ definition: { id, handler }, hash, previousIds }) => ({
          ...{ namespace, id, hash, handler, previousIds },
        })),
        graceMs: minute,
        previousApps: [],
        plan: (stored, carried, now) => {
          const orphans = deletes ? 'delete' : 'keep';
          const lists = { knows: (): boolean => false };
          const rules = {
            app,
            previousApps: [],
            calendars: {},
            orphans,
            orphanGraceMs: minute,
            lists,
          } as const;
          return nth === null
            ? planMissing(declared, stored, now, rules)
            : planSync(declared, stored, carried, now, rules);
        },
      });
      return result.status;
    },
  );
}

function fire(nth: number, aheadMs: number, room: number): StorageOperation {
  return operation(`worker ${nth} fires ${aheadMs / second} s ahead with room for ${room}`, async (side) => {
    const capability = side.workers[nth]!;
    const { now, cursors } = await side.storage.dueCursors(capability, 1_000, aheadMs);
    const firings = cursors.flatMap((cursor): Firing[] => {
      const compiled = compileTrigger(cursor.trigger, `${namespace}/${cursor.jobId}`);
      const firing = planFiring(cursor, compiled, Math.max(now, cursor.nominalAt), 100);
      if (firing === null) return [];
      return [cursor.nominalAt > now && firing.overlap !== 'allow' ? { ...firing, overlap: 'wait' } : firing];
    });
    // By job, as both sides have other ids, and what is born first has the lower id.
    const jobOf = new Map(cursors.map(({ jobUid, jobId }) => [jobUid, jobId]));
    const ordered = firings.toSorted((a, b) => (jobOf.get(a.jobUid)! < jobOf.get(b.jobUid)! ? -1 : 1));
    const fired = await side.storage.fire(capability, ordered, room, aheadMs);
    take(side, fired.runs);
    return {
      moved: fired.moved.map((uid) => String(jobOf.get(uid))).toSorted(),
      runs: fired.runs.map(shownRun).toSorted(),
      unclaimed: fired.unclaimed,
      skipped: fired.skipped.map(({ jobUid, nominalAt }) => `${jobOf.get(jobUid)} ${nominalAt}`).toSorted(),
    };
  });
}

function claim(nth: number, aheadMs: number): StorageOperation {
  return operation(`worker ${nth} claims ${aheadMs / second} s ahead`, async (side) => {
    const { runs } = await side.storage.claim(side.workers[nth]!, 1_000, aheadMs);
    take(side, runs);
    return runs.map(shownRun).toSorted();
  });
}

/** In an order that both sides share. */
function take(side: Side, runs: readonly ClaimedRun[]): void {
  side.claimed.push(...runs.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1)));
}

function shownRun({
  jobId,
  nominalAt,
  dueAt,
  fence,
  attempt,
  missed,
  origin,
  policies: some,
}: ClaimedRun): string {
  return JSON.stringify({
    jobId: jobId.replace(/\d+$/, '#'),
    nominalAt,
    dueAt,
    fence,
    attempt,
    missed,
    origin,
    some,
  });
}

function settle(nth: number, outcome: Outcome, retryInMs: number | null): StorageOperation {
  const mayRetry = outcome === 'failed' || outcome === 'timed_out' || outcome === 'snoozed';
  return operation(
    `settle ${nth} from the last as ${outcome}${mayRetry && retryInMs !== null ? ` again in ${retryInMs / second} s` : ''}`,
    async (side) => {
      const run = side.claimed.at(-1 - nth);
      if (!run) return 'nothing';
      const now = await side.storage.now();
      const retryAt =
        outcome === 'snoozed'
          ? now + (retryInMs ?? 0)
          : mayRetry && retryInMs !== null
            ? now + retryInMs
            : null;
      const { accepted } = await side.storage.settle([
        {
          runId: run.id,
          worker: run.worker,
          fence: run.fence,
          outcome,
          startedAt: Math.max(now, run.dueAt),
          finishedAt: Math.max(now, run.dueAt),
          retryAt,
          error: outcome === 'failed' ? 'boom' : null,
          result: null,
          oneOff: run.jobUid === null,
        },
      ]);
      return accepted.length;
    },
  );
}

function giveBack(nth: number): StorageOperation {
  return operation(`give back ${nth} from the last`, async (side) => {
    const run = side.claimed.at(-1 - nth);
    if (!run) return 'nothing';
    const lost = await side.storage.giveBack([{ runId: run.id, worker: run.worker, fence: run.fence }]);
    return lost.lost.map(({ id }) => id);
  });
}

/** One whose lease is over goes on as a new one, as an engine does. */
function renew(nth: number): StorageOperation {
  return operation(`worker ${nth} renews`, async (side) => {
    const { leaseUntil, cancelled } = await side.storage.renew(side.workers[nth]!.workerId, 2 * minute, 1);
    if (leaseUntil === null) await startWorker(side, nth);
    return {
      renewed: leaseUntil !== null,
      cancelled: cancelled.map((id) => String(side.ordinal(id))).toSorted(),
    };
  });
}

let serial = 0;
const workerIds = new Map<string, string>();

export async function startWorker(side: Side, nth: number): Promise<void> {
  // The same name on both sides, for the nth that each begins.
  const key = `${side.workers.length} ${nth} ${side.begun++}`;
  const id = workerIds.get(key) ?? `worker-${++serial}`;
  workerIds.set(key, id);
  const capability = {
    workerId: id,
    app,
    queues: nth === 0 ? ['default'] : ['default', 'side'],
    handlers: ['work', 'other'],
  };
  const { workerId: _, ...place } = capability;
  const facts = { name: 'n', generation: null, host: 'h', pid: 1, version: '1', zoneData: '2025b' };
  await side.storage.register({ id, ...facts, ...place, retention: null }, 2 * minute);
  side.workers[nth] = capability;
}

function pause(id: string): StorageOperation {
  return operation(
    `pause ${id}`,
    async (side) => (await side.storage.pauseJob({ namespace, id }, { reason: null, by: null })) !== null,
  );
}

function resume(id: string): StorageOperation {
  return operation(
    `resume ${id}`,
    async (side) =>
      (await side.storage.resumeJob({ namespace, id }, (job, now) => planResume(namespace, job, now, {}))) !==
      null,
  );
}

function update(id: string, wanted: Given): StorageOperation {
  return operation(`update ${id} ${JSON.stringify(wanted)}`, async (side) => {
    const job = await side.storage.getJob({ namespace, id });
    // As `updateJob` of the service refuses it.
    if (job === null || (job.trigger.type === 'at') !== (wanted.trigger.type === 'at')) return 'refused';
    const { trigger, nextAt, timeZone, handler, queue, priority } = await newJob(
      side,
      id,
      wanted,
      job.source === 'code',
    );
    const given = { trigger, timeZone, handler, queue, priority };
    const by = { at: await side.storage.now(), by: 'somebody' };
    const changed = changesBy(job, { ...job, ...given }, given as UpdateJob, by);
    const result = await side.storage.updateJob({ namespace, id }, { ...given, nextAt, changed });
    return typeof result === 'string' ? result : 'updated';
  });
}

function reset(id: string): StorageOperation {
  return operation(`reset ${id}`, async (side) => {
    const job = await side.storage.getJob({ namespace, id });
    const patch = job && resetOf(job, await side.storage.now(), {});
    if (patch === null) return 'nothing';
    const result = await side.storage.updateJob({ namespace, id }, patch);
    return typeof result === 'string' ? result : [result.changed, result.trigger];
  });
}

function backfill(id: string, overlap: 'queue' | 'allow'): StorageOperation {
  return operation(`backfill ${id} ${overlap}`, async (side) => {
    const now = await side.storage.now();
    const instants = [3, 2, 1].map((nth) => Math.floor(now / minute) * minute - nth * minute);
    const report = await side.storage.backfill(
      { namespace, id },
      { instants, overlap, includeSucceeded: false, dryRun: false },
    );
    return report && { ...report, runIds: report.runIds.length };
  });
}

function ofDead(what: 'retry' | 'discard', nth: number): StorageOperation {
  return operation(`${what} dead letter ${nth}`, async (side) => {
    const dead = (await side.runs()).filter(
      ({ state }) => state === 'failed' || state === 'timed_out' || state === 'lost',
    );
    const run = dead[nth];
    if (!run) return 'nothing';
    if (what === 'retry') return (await side.storage.retryRuns([run.id])).length;
    return (await side.storage.discardRuns([run.id])).length;
  });
}

function recompute(version: number): StorageOperation {
  return operation(`zone data 2026${'abcdefghij'[version]}`, async (side) => {
    const { moved } = await side.storage.recomputeCursors(
      `2026${'abcdefghij'[version]}`,
      ({ id, trigger, since, nextAt }) => {
        const compiled = compileTrigger(trigger, `${namespace}/${id}`);
        return compiled.fixedDelayMs === null ? compiled.next(since) : nextAt;
      },
    );
    return moved.map(({ id, from, to }) => `${id} ${from} ${to}`).toSorted();
  });
}
