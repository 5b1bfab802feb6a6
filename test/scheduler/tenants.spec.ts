import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  defineJob,
  tenantJob,
  InvalidOptionError,
  JobAlreadyExistsError,
  JobNotFoundError,
  RunNotFoundError,
  SchedulerService,
  type CreateManyResult,
  type TenantScheduler,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { wrong } from '../support/refusal.js';

const now = new Date('2026-01-01T00:00:00Z');

/** What acme has, as others could name it. */
interface Target {
  id: string;
  runId: string;
  failedRunId: string;
}

/** A call by another tenant that aims at what acme has. It must come to what is said, and change nothing of acme's. */
interface Attack {
  call: (other: TenantScheduler, target: Target) => unknown;
  comesTo: unknown;
}

const nothing = { items: [] };
const refused = (error: new (...args: never[]) => Error): object => ({ refused: error });

const attacks: Record<keyof TenantScheduler, Attack> = {
  createIntervalJob: {
    call: (s, { id }) => s.createIntervalJob({ id, handler: 'work', every: '1h' }),
    comesTo: { namespace: 'tenant:other', metadata: { tenant_id: 'other' } },
  },
  createCronJob: {
    call: (s, { id }) => s.createCronJob({ id, handler: 'work', expression: '@daily' }),
    comesTo: { namespace: 'tenant:other', metadata: { tenant_id: 'other' } },
  },
  createDateJob: {
    call: (s, { id }) => s.createDateJob({ id, handler: 'work', in: '1h', onConflict: 'ignore' }),
    comesTo: { namespace: 'tenant:other', trigger: { type: 'at' } },
  },
  createJob: {
    call: (s, { id }) =>
      s.createJob({ id, handler: 'work', trigger: { type: 'manual' }, onConflict: 'replace' }),
    comesTo: { namespace: 'tenant:other', trigger: { type: 'manual' } },
  },
  schedule: {
    call: (s, { id }) => s.schedule('work', { id, in: '1h' }),
    comesTo: { namespace: 'tenant:other', metadata: { tenant_id: 'other' } },
  },
  upsert: {
    call: (s, { id }) => s.upsert({ id, handler: 'work', every: '2h' }),
    comesTo: { status: 'created', job: { namespace: 'tenant:other', metadata: { tenant_id: 'other' } } },
  },
  createMany: {
    call: (s, { id }) => s.createMany([{ id, handler: 'work', every: '2h' }], { onConflict: 'replace' }),
    comesTo: [{ status: 'created', job: { namespace: 'tenant:other', metadata: { tenant_id: 'other' } } }],
  },
  getJob: { call: (s, { id }) => s.getJob(id), comesTo: null },
  queryJobs: { call: (s) => s.queryJobs({ 'metadata.tenant_id': 'acme' }), comesTo: nothing },
  countJobs: { call: (s) => s.countJobs(), comesTo: 0 },
  getRuns: { call: (s, { runId }) => s.getRuns({ runId }), comesTo: nothing },
  getAttempts: { call: (s, { failedRunId }) => s.getAttempts({ runId: failedRunId }), comesTo: nothing },
  getGaps: { call: (s, { id }) => s.getGaps({ jobId: id }), comesTo: nothing },
  previewJob: { call: (s, { id }) => s.previewJob(id), comesTo: refused(JobNotFoundError) },
  coverage: { call: (s, { id }) => s.coverage(id), comesTo: refused(JobNotFoundError) },
  explain: { call: (s, { id }) => s.explain(id, now), comesTo: refused(JobNotFoundError) },
  getFailures: { call: (s) => s.getFailures(), comesTo: nothing },
  getStatistics: { call: (s) => s.getStatistics({ from: 0 }), comesTo: { items: [] } },
  forecast: { call: (s) => s.forecast(), comesTo: { runs: 0, jobs: 0, held: 0 } },
  getOverdue: { call: (s) => s.getOverdue(), comesTo: [] },
  getRunLog: { call: (s, { runId }) => s.getRunLog({ runId }), comesTo: refused(RunNotFoundError) },
  waitForRun: {
    call: (s, { failedRunId }) => s.waitForRun(failedRunId),
    comesTo: refused(RunNotFoundError),
  },
  updateJob: {
    call: (s, { id }) => s.updateJob(id, { priority: 'high' }),
    comesTo: refused(JobNotFoundError),
  },
  resetJob: { call: (s, { id }) => s.resetJob(id), comesTo: refused(JobNotFoundError) },
  pauseJob: { call: (s, { id }) => s.pauseJob(id), comesTo: refused(JobNotFoundError) },
  resumeJob: { call: (s, { id }) => s.resumeJob(id), comesTo: refused(JobNotFoundError) },
  backfill: {
    call: (s, { id }) => s.backfill(id, new Date(now.getTime() - 86_400_000), now),
    comesTo: refused(JobNotFoundError),
  },
  deleteJob: { call: (s, { id }) => s.deleteJob(id), comesTo: refused(JobNotFoundError) },
  cancelJob: { call: (s, { id }) => s.cancelJob(id), comesTo: refused(JobNotFoundError) },
  runNow: { call: (s, { id }) => s.runNow(id), comesTo: refused(JobNotFoundError) },
  cancelRun: { call: (s, { runId }) => s.cancelRun(runId), comesTo: refused(RunNotFoundError) },
  complete: { call: (s, { runId }) => s.complete(runId), comesTo: refused(RunNotFoundError) },
  fail: { call: (s, { runId }) => s.fail(runId, 'no'), comesTo: refused(RunNotFoundError) },
  signal: { call: (s, { runId }) => s.signal(runId, 'go'), comesTo: refused(RunNotFoundError) },
  getRunSteps: { call: (s, { runId }) => s.getRunSteps(runId), comesTo: refused(RunNotFoundError) },
  retryRun: { call: (s, { failedRunId }) => s.retryRun(failedRunId), comesTo: refused(RunNotFoundError) },
  discardRun: {
    call: (s, { failedRunId }) => s.discardRun(failedRunId),
    comesTo: refused(RunNotFoundError),
  },
  retryFailed: { call: (s) => s.retryFailed(), comesTo: { found: 0, changed: 0 } },
  discardFailed: { call: (s) => s.discardFailed(), comesTo: { found: 0, changed: 0 } },
  pauseMany: { call: (s) => s.pauseMany({}, { all: true }), comesTo: { matched: 0, changed: 0 } },
  resumeMany: { call: (s) => s.resumeMany({ handler: 'work' }), comesTo: { matched: 0, changed: 0 } },
  cancelMany: { call: (s) => s.cancelMany({}, { all: true }), comesTo: { matched: 0, changed: 0 } },
  deleteMany: { call: (s, { id }) => s.deleteMany({ idPrefix: id }), comesTo: { matched: 0, changed: 0 } },
  pause: { call: (s) => s.pause({ all: true }), comesTo: { scope: { all: true } } },
  resume: { call: (s) => s.resume({ all: true }), comesTo: false },
  getPauses: { call: (s) => s.getPauses(), comesTo: [] },
  withActor: {
    call: (s, { id }) => s.withActor({ by: 'mallory' }, () => s.deleteJob(id)),
    comesTo: refused(JobNotFoundError),
  },
  getAudit: { call: (s, { id }) => s.getAudit({ jobId: id }), comesTo: nothing },
  withTransaction: {
    call: (s, { id }) => s.withTransaction(null, () => s.deleteJob(id)),
    comesTo: refused(JobNotFoundError),
  },
};

/** What is not for tenants, and what is not for anybody outside of the class. */
const notForTenants = [
  'constructor',
  'registerHandler',
  'withdrawHandler',
  'offerHandler',
  'rebuildStatistics',
  'start',
  'stop',
  'running',
  'health',
  'status',
  'forTenant',
];
const inside = ['changed', 'access', 'accessOf'];

describe('a tenant', () => {
  let app: NestApp;
  let all: SchedulerService;
  let acme: TenantScheduler;
  let other: TenantScheduler;
  let target: Target;

  beforeEach(async () => {
    app = await NestApp.boot();
    all = app.scheduler;
    acme = all.forTenant('acme');
    other = all.forTenant('other');
    all.registerHandler('work', ({ payload }) => {
      if (payload === 'fail') throw new Error('No.');
    });
    await acme.createIntervalJob({ id: 'job', handler: 'work', every: '1h' });
    // A call that forgets its namespace would meet this one.
    await all.createIntervalJob({ id: 'job', handler: 'work', every: '1h' });
    await acme.createDateJob({ id: 'later', handler: 'work', in: '1d' });
    await acme.createDateJob({ id: 'failed', handler: 'work', payload: 'fail', runAt: now });
    await app.settle();
    const runs = (await acme.getRuns()).items;
    target = {
      id: 'job',
      runId: runs.find(({ jobId }) => jobId === 'later')!.id,
      failedRunId: runs.find(({ jobId }) => jobId === 'failed')!.id,
    };
  });
  afterEach(() => app.close());

  /** All that is stored and not the attacker's. */
  const stateOfAllOthers = async (): Promise<unknown> => {
    const [jobs, runs, attempts, gaps] = await Promise.all([
      all.queryJobs(),
      all.getRuns(),
      all.getAttempts(),
      all.getGaps(),
    ]);
    const pauses = (await all.getPauses()).filter(
      ({ scope }) => !('namespace' in scope && scope.namespace === 'tenant:other'),
    );
    const rows = [...jobs.items, ...runs.items, ...attempts.items, ...gaps.items];
    return { rows: rows.filter(({ namespace }) => namespace !== 'tenant:other'), pauses };
  };

  test('has all methods of the service but those of the process, and each of them is tried here', () => {
    const methods = Object.getOwnPropertyNames(SchedulerService.prototype);
    const expected = methods.filter((name) => ![...notForTenants, ...inside].includes(name));
    expect(expected.length).toBeGreaterThan(25);
    expect(Object.keys(attacks).toSorted()).toEqual(expected.toSorted());
    for (const name of expected) expect(acme).toHaveProperty(name);
    for (const name of notForTenants.slice(1)) expect(acme).not.toHaveProperty(name);
  });

  test.each(Object.keys(attacks) as (keyof TenantScheduler)[])(
    'neither sees nor touches what another one has: %s',
    async (name) => {
      const { call, comesTo } = attacks[name];
      const before = await stateOfAllOthers();
      const result = await Promise.resolve(call(other, target)).then(
        (value: unknown) => value,
        (error: Error) => ({ refused: error.constructor }),
      );
      if (typeof comesTo === 'object' && comesTo !== null) expect(result).toMatchObject(comesTo);
      else expect(result).toEqual(comesTo);
      expect(await stateOfAllOthers()).toEqual(before);
    },
  );

  test('can do all of that with its own', async () => {
    expect(await acme.countJobs()).toBe(3);
    expect(await acme.getJob('job')).toMatchObject({ metadata: { tenant_id: 'acme' } });
    expect((await acme.previewJob('job')).occurrences).not.toEqual([]);
    await acme.updateJob('job', { metadata: { plan: 'free' } });
    expect((await acme.getJob('job'))!.metadata).toEqual({ plan: 'free', tenant_id: 'acme' });
    await acme.pauseJob('job');
    await acme.resumeJob('job');
    await acme.runNow('job');
    expect(await acme.cancelRun(target.runId)).toBe('cancelled');
    expect(await acme.waitForRun(target.failedRunId)).toMatchObject({ verdict: 'failed' });
    expect(await acme.retryFailed({}, { dryRun: true })).toEqual({ found: 1, changed: 0 });
    expect(await acme.retryRun(target.failedRunId)).toMatchObject({ retryOf: target.failedRunId });
    await app.settle();
    expect(await acme.discardFailed()).toEqual({ found: 1, changed: 1 });
    await acme.deleteJob('job');
    expect(await acme.countJobs()).toBe(0);
  });

  test('changes all of its own by an empty filter, if it says so', async () => {
    await acme.schedule('work', { id: 'a', every: '1h' });
    await other.schedule('work', { id: 'a', every: '1h' });
    await expect(acme.deleteMany({})).rejects.toThrow(/all: true/);
    const had = await acme.countJobs();
    expect(await acme.deleteMany({}, { all: true })).toMatchObject({ matched: had, changed: had });
    expect(await acme.countJobs()).toBe(0);
    expect(await other.countJobs()).toBe(1);
  });

  test('pauses and resumes all of its own, and sees no other pause', async () => {
    await acme.pause({ all: true }, { reason: 'unpaid' });
    await all.pause({ queue: 'mail' });
    await other.createDateJob({ id: 'runs', handler: 'work', runAt: now });
    await acme.createDateJob({ id: 'waits', handler: 'work', runAt: now });
    await app.settle();
    expect(await other.getJob('runs')).toBeNull();
    expect(await acme.getJob('waits')).not.toBeNull();
    expect(await acme.getPauses()).toMatchObject([{ scope: { all: true }, reason: 'unpaid' }]);
    expect(await other.getPauses()).toEqual([]);
    expect(await acme.resume({ all: true })).toBe(true);
    await app.settle();
    expect(await acme.getJob('waits')).toBeNull();
    for (const scope of [{ handler: 'work' }, { queue: 'default' }, { namespace: 'tenant:other' }]) {
      await expect(acme.pause(scope)).rejects.toThrow('scope: must be { all: true }');
      await expect(acme.resume(scope)).rejects.toThrow(InvalidOptionError);
    }
  });

  test('is told when its own id is taken, and never of others', async () => {
    const job = { id: 'job', handler: 'work', every: '1h' };
    await expect(acme.createIntervalJob(job)).rejects.toThrow(JobAlreadyExistsError);
    await expect(other.createIntervalJob(job)).resolves.toMatchObject({ id: 'job' });
    await expect(all.createIntervalJob(job)).rejects.toThrow('in the namespace "default"');
  });

  const foreign: [string, (s: TenantScheduler) => Promise<unknown>][] = [
    ['of a query', (s) => s.queryJobs({ namespace: 'tenant:acme' })],
    ['of runs', (s) => s.getRuns({ namespace: 'default' })],
    ['of a call by id', (s) => s.getJob('job', { namespace: 'tenant:acme' })],
    ['of a change', (s) => s.updateJob('job', { priority: 1 }, { namespace: 'tenant:acme' })],
    ['of a new job', (s) => s.schedule('work', { namespace: 'tenant:acme', in: '1h' })],
    ['in the mark of a new job', (s) => s.schedule('work', { metadata: { tenant_id: 'acme' }, in: '1h' })],
    ['in a changed mark', (s) => s.updateJob('own', { metadata: { tenant_id: 'acme' } })],
    ['in a reference', (s) => s.schedule(defineJob('work', { namespace: 'shared' }), { in: '1h' })],
  ];
  test.each(foreign)('is refused the namespace or mark of another one: %s', async (_, call) => {
    await other.createIntervalJob({ id: 'own', handler: 'work', every: '1h' });
    await expect(call(other)).rejects.toThrow(InvalidOptionError);
    expect(await other.countJobs()).toBe(1);
  });

  test('gets one result for each of many jobs, in order, whichever of them are refused', async () => {
    const results = await other.createMany([
      { id: 'a', handler: 'work', every: '1h' },
      { id: 'b', handler: 'work', every: '1h', namespace: 'tenant:acme' },
      { id: 'c', handler: 'work', every: 'soon' },
      { id: 'd', handler: 'work', every: '1h', metadata: { tenant_id: 'other', plan: 'free' } },
      wrong(null),
    ]);
    const told = (result: CreateManyResult): string =>
      result.status === 'rejected' ? result.status : `${result.status} ${result.job.id}`;
    expect(results.map(told)).toEqual(['created a', 'rejected', 'rejected', 'created d', 'rejected']);
    expect(await other.countJobs({ 'metadata.plan': 'free' })).toBe(1);
  });

  test('has the defaults of a defined job, and its mark with them', async () => {
    const Report = defineJob('work', { maxRetries: 2, metadata: { plan: 'free' } });
    expect(await other.schedule(Report, { in: '1h' })).toMatchObject({
      metadata: { plan: 'free', tenant_id: 'other' },
      policies: { maxRetries: 2 },
    });
  });

  test('is one of many in one call', async () => {
    const Report = defineJob('work', { maxRetries: 2, metadata: { plan: 'free' } });
    const results = await all.createMany(
      ['acme', 'globex'].map((id) => tenantJob(id, { id: 'bulk', handler: Report, every: '1 hour' })),
    );
    expect(results.map(({ status }) => status)).toEqual(['created', 'created']);
    expect(await all.forTenant('globex').getJob('bulk')).toMatchObject({
      namespace: 'tenant:globex',
      metadata: { plan: 'free', tenant_id: 'globex' },
      policies: { maxRetries: 2 },
    });
    expect(tenantJob('a', { handler: 'work', metadata: { x: 1 } }, { metadataKey: 'org' })).toEqual({
      handler: 'work',
      namespace: 'tenant:a',
      metadata: { x: 1, org: 'a' },
    });
    expect(() => tenantJob('a', { handler: 'work', namespace: 'b' })).toThrow(InvalidOptionError);
    await all.deleteMany({ idPrefix: 'bulk' });
  });

  test('may be marked under another key, and never has the namespace of the application', async () => {
    const job = await all.forTenant('default', { metadataKey: 'org' }).schedule('work', { in: '1h' });
    expect(job).toMatchObject({ namespace: 'tenant:default', metadata: { org: 'default' } });
  });

  test.each(['', ' ', 'a/b', 'a\nb', null, 7])('has a name: not %j', (name) => {
    expect(() => all.forTenant(wrong(name))).toThrow(InvalidOptionError);
  });

  test('is seen in the context of its runs', async () => {
    const seen: unknown[] = [];
    all.registerHandler('look', ({ job }) => void seen.push(job.metadata.tenant_id));
    await other.schedule('look', { at: now });
    await app.settle();
    expect(seen).toEqual(['other']);
  });
});
