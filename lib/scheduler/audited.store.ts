import type { AuditAction, AuditRequest } from '../model/audit.js';
import type { Job, JobRef } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import { requestedRun, type Run } from '../model/run.js';
import {
  auditedDefinitionMethods,
  auditedFlowMethods,
  auditedMethods,
  type AuditedStore,
  type DefinitionStorage,
  type JobStore,
  type NewAudit,
  type PutDefinition,
} from '../ports/storage.adapter.js';
import { bounded, optionsChanged, pauseChanged, summed } from './audited.details.js';
import { resultOf } from './job.backfill.js';
import { toScopePause } from './pauses.js';

/** What is known of a call beside what it does to the storage. */
export interface AuditedCall {
  /** What it does, in place of what the storage is asked for. What follows from that is on record as it is. */
  as?: Partial<Record<AuditAction, AuditAction>>;
  details?: JsonValue;
  /** What a change of many is confined to; null: nothing, or several. */
  namespace?: string | null;
  /** It is one of many jobs or runs, in several steps: they are one entry. */
  batch?: string;
}

/** What is told of an entry; the rest is nothing. `answer`: what it came to, for who asks again with the same key. */
type Told = Partial<Omit<NewAudit, 'request'>> & Pick<NewAudit, 'action'> & { answer?: unknown };
type SettleOpen = Parameters<JobStore['settleOpen']>[1];
/** Makes what is told of the result; `before`: what was read for it. */
type Telling = (args: any[], result: any, before: any) => Told[];
interface Subject {
  /** Reads what is known before only. May listen to what is called back. */
  read?: (jobs: JobStore, args: any[]) => Promise<unknown>;
  tell: Telling;
}

const readJob: Subject['read'] = async (jobs, [ref]) => (await jobs.getJob(ref as JobRef)) ?? undefined;
const readRun: Subject['read'] = async (jobs, [runId]) =>
  (await jobs.queryRuns({ runId: String(runId) }, { limit: 1 })).items[0];
const readRuns: Subject['read'] = (jobs, [runIds]) =>
  Promise.all((runIds as string[]).map((runId) => readRun(jobs, [runId])));

const ofRef = ({ namespace, id }: JobRef): Partial<NewAudit> => ({ namespace, jobId: id });
const ofRun = (run: Run | undefined): Partial<NewAudit> =>
  run === undefined ? {} : { namespace: run.namespace, jobId: run.jobId };
const found = <T>(result: T | null | false, told: Told): Told[] =>
  result === null || result === false ? [] : [told];
/** Unless somebody else has changed it in between. */
const justBefore = (before: Job | undefined, after: Job): Job | undefined =>
  before && after.revision - before.revision <= 1 ? before : undefined;

const subjects: Record<(typeof auditedMethods)[number], Subject> = {
  insertJobs: {
    tell: (_, results: { status: string; job?: Job }[]) =>
      results.flatMap(({ status, job }) =>
        status === 'created' || status === 'replaced'
          ? [{ action: status === 'created' ? 'create' : 'upsert', ...ofRef(job!), details: { status } }]
          : [],
      ),
  },
  updateJob: {
    read: readJob,
    tell: ([ref, patch], result: Job | 'not-found' | 'stale', before: Job | undefined) =>
      typeof result === 'string'
        ? []
        : [
            {
              action: 'update',
              ...ofRef(ref),
              details: optionsChanged(justBefore(before, result), result, patch),
            },
          ],
  },
  deleteJob: { tell: ([ref], result) => found(result, { action: 'delete', ...ofRef(ref) }) },
  pauseJob: {
    read: readJob,
    tell: ([ref], job: Job | null, before) =>
      job === null
        ? []
        : [{ action: 'pause', ...ofRef(ref), details: pauseChanged(justBefore(before, job), job) }],
  },
  resumeJob: {
    read: readJob,
    tell: ([ref], job: Job | null, before) =>
      job === null
        ? []
        : [{ action: 'resume', ...ofRef(ref), details: pauseChanged(justBefore(before, job), job) }],
  },
  cancelRun: {
    read: readRun,
    tell: ([runId], answer, run) =>
      found(answer, { action: 'cancelRun', ...ofRun(run), runId, details: { answer }, answer }),
  },
  cancelJob: {
    tell: ([ref], runs) => found(runs, { action: 'cancel', ...ofRef(ref), details: { runs }, answer: runs }),
  },
  changeJobs: {
    tell: ([, change], outcomes: string[]) => {
      const count = outcomes.filter((outcome) => outcome === 'changed').length;
      return count === 0 ? [] : [{ action: `${change.kind}Many` as AuditAction, count }];
    },
  },
  runNow: {
    tell: ([ref], run: Run | null) =>
      run === null ? [] : [{ action: 'runNow', ...ofRef(ref), runId: run.id, answer: requestedRun(run) }],
  },
  backfill: {
    tell: ([ref, { instants, overlap, includeSucceeded, dryRun }], report) => {
      if (report === null || dryRun) return [];
      const [from, until] = [instants[0], instants.at(-1)];
      const details = {
        from: from === undefined ? null : new Date(from).toISOString(),
        until: until === undefined ? null : new Date(until).toISOString(),
        overlap,
        includeSucceeded,
        runIds: bounded(report.runIds),
      };
      const count = report.created.length;
      return [{ action: 'backfill', ...ofRef(ref), details, count, answer: resultOf(instants, report) }];
    },
  },
  pauseScope: {
    tell: ([scope], pause) => {
      const { reason, by, until } = pause;
      const after = { reason, by, ...(until !== null && { until: until.toISOString() }) };
      return [{ action: 'pauseScope', ...ofScope(scope), details: { after }, answer: toScopePause(pause) }];
    },
  },
  resumeScope: { tell: ([scope], result) => found(result, { action: 'resumeScope', ...ofScope(scope) }) },
  retryRuns: {
    tell: (_, runs: Run[]) =>
      runs.map((run) => ({
        action: 'retryRun',
        ...ofRun(run),
        runId: run.id,
        details: { retryOf: run.retryOf },
        answer: run,
      })),
  },
  discardRuns: {
    read: readRuns,
    tell: (_, ids: string[], runs: (Run | undefined)[]) =>
      ids.map((runId) => ({
        action: 'discardRun',
        ...ofRun(runs.find((run) => run?.id === runId)),
        runId,
      })),
  },
  settleOpen: {
    read: async (jobs, args: unknown[]) => {
      const heard = { run: (await readRun!(jobs, args)) as Run | undefined, retryAt: null as Date | null };
      const settle = args[1] as SettleOpen;
      args[1] = ((run, now) => {
        const settlement = settle(run, now);
        heard.retryAt = settlement.retryAt === null ? null : new Date(settlement.retryAt);
        return settlement;
      }) satisfies SettleOpen;
      return heard;
    },
    tell: ([runId], isEnded, { run, retryAt }) =>
      found(isEnded, { action: 'complete', ...ofRun(run), runId, answer: { retryAt } }),
  },
  sendRunSignal: {
    read: readRun,
    tell: ([runId, { name, payload }], answer, run) =>
      answer === null || answer === 'full' || answer === 'unheard'
        ? []
        : [
            {
              action: 'signal',
              ...ofRun(run),
              runId,
              details: { name: bounded(name), payload: summed(payload) },
            },
          ],
  },
};

const flowSubjects: Record<(typeof auditedFlowMethods)[number], Subject> = {
  pauseFlow: {
    read: readRun,
    tell: ([runId], result, run) => found(result, { action: 'workflow.pause', ...ofRun(run), runId }),
  },
  resumeFlow: {
    read: readRun,
    tell: ([runId], result, run) => found(result, { action: 'workflow.resume', ...ofRun(run), runId }),
  },
  retryFlow: {
    tell: ([runId, from], run: Run | null) =>
      run === null
        ? []
        : [{ action: 'workflow.retry', ...ofRun(run), runId: run.id, details: { retryOf: runId, from } }],
  },
  pruneFlows: {
    tell: ([endedBefore], count: number) =>
      count === 0 ? [] : [{ action: 'workflow.prune', details: olderThan(endedBefore), count }],
  },
};

const definitionSubjects: Record<(typeof auditedDefinitionMethods)[number], Subject> = {
  putDefinitions: {
    tell: (_, results: PutDefinition[]) =>
      results.flatMap(({ status, definition: { namespace, name, version, hash } }) =>
        status === 'created'
          ? [{ action: 'definition.define', namespace, details: { name, version, hash } }]
          : [],
      ),
  },
  deleteDefinition: {
    tell: ([{ namespace, name }, version], count: number) =>
      count === 0 ? [] : [{ action: 'definition.delete', namespace, details: { name, version }, count }],
  },
  pruneDefinitions: {
    tell: ([deletedBefore], count: number) =>
      count === 0 ? [] : [{ action: 'definition.prune', details: olderThan(deletedBefore), count }],
  },
};

function ofScope(scope: NewAudit['scope'] & object): Partial<NewAudit> {
  return { scope, namespace: scope.kind === 'namespace' ? scope.name : null };
}

function olderThan(before: number): JsonValue {
  return { before: new Date(before).toISOString() };
}

/** What is the same in all entries of a call. */
export interface Signature extends Pick<NewAudit, 'actor' | 'note' | 'requestId'> {
  /** Of what is done once; null: it is done however often it is asked for. */
  request: Pick<AuditRequest, 'key' | 'digest'> | null;
}

type Methods = Record<string, (...args: any[]) => Promise<unknown>>;

/** The same methods, of which each that changes something puts on record who has asked for it. */
export function auditedStore(jobs: JobStore, signature: Signature, call: AuditedCall): AuditedStore {
  // The key is of the first change; what follows from that, such as a pause after a failure, is done with it.
  let { request } = signature;
  /** `methodsOf`: where in a store the methods are. */
  const recording = <T extends object>(
    target: T,
    described: Record<string, Subject>,
    methodsOf: (store: AuditedStore) => object,
  ): T => {
    const methods: Methods = {};
    for (const [name, { read, tell }] of Object.entries(described)) {
      methods[name] = async (...args) => {
        const before = await read?.(jobs, args);
        let isTold = false;
        const note = (result: unknown): NewAudit[] => {
          const told = entries(tell(args, result, before), { ...signature, request }, call);
          isTold = told.length > 0;
          return told;
        };
        const once = request === null ? [] : [{ actor: signature.actor, key: request.key }];
        const store = await jobs.audited!(note, ...once);
        const result = await (methodsOf(store) as Methods)[name]!(...args);
        if (isTold) request = null;
        return result;
      };
    }
    return new Proxy(target, {
      get(all, key) {
        if (typeof key === 'string' && Object.hasOwn(methods, key)) return methods[key];
        const value: unknown = Reflect.get(all, key, all);
        return typeof value === 'function' ? (value.bind(all) as unknown) : value;
      },
    });
  };
  const store = recording(jobs, subjects, (each) => each);
  const flows = jobs.flows && recording(jobs.flows, flowSubjects, (each) => each.flows!);
  const definitions =
    jobs.definitions &&
    recording<DefinitionStorage>(jobs.definitions, definitionSubjects, (each) => each.definitions!);
  return new Proxy(store, {
    get(all, key) {
      if (key === 'flows') return flows;
      if (key === 'definitions') return definitions;
      return Reflect.get(all, key, all) as unknown;
    },
  }) as AuditedStore;
}

function entries(told: Told[], { request, ...signature }: Signature, call: AuditedCall): NewAudit[] {
  const { as, details, namespace = null, batch } = call;
  const none = {
    namespace: null,
    jobId: null,
    runId: null,
    scope: null,
    details: null,
    count: 1,
    batch: null,
    request: null,
  };
  const [first] = told;
  if (first === undefined) return [];
  if (batch !== undefined) {
    const count = told.reduce((sum, each) => sum + (each.count ?? 1), 0);
    const action = as?.[first.action] ?? first.action;
    return [{ ...none, action, details: details ?? null, namespace, count, batch, ...signature }];
  }
  return told.map(({ answer = null, ...each }, nth) => {
    const action = as?.[each.action];
    return {
      ...none,
      ...each,
      ...signature,
      ...(request &&
        nth === 0 && { request: { ...request, answer: JSON.parse(JSON.stringify(answer)) as JsonValue } }),
      ...(action !== undefined && { action, ...(details !== undefined && { details }) }),
    };
  });
}
