import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AuditNotSupportedError,
  DefinitionService,
  InvalidOptionError,
  JobNotFoundError,
  MemoryStorage,
  RequestRepeatedError,
  workflow,
  WorkflowService,
  type AuditEntry,
  type SchedulerService,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const ada = { by: 'ada', note: 'asked by phone', requestId: 'r-1' };
const job = { id: 'job', handler: 'work' };

describe('who has asked', () => {
  let app: NestApp;
  let scheduler: SchedulerService;

  beforeEach(async () => {
    app = await NestApp.boot({ chronis: { timeZone: 'Europe/Berlin' } });
    ({ scheduler } = app);
    scheduler.registerHandler('work', ({ payload }) => {
      if (payload === 'fail') throw new Error('boom');
    });
    scheduler.registerHandler('fine', () => undefined);
  });
  afterEach(() => app.close());

  const audit = async (): Promise<AuditEntry[]> => (await scheduler.getAudit()).items;
  const last = async (): Promise<AuditEntry> => (await audit())[0]!;
  const asAda = <T>(work: () => Promise<T>): Promise<T> => scheduler.withActor(ada, work);
  const fail = async (id: string): Promise<void> => {
    await scheduler.createDateJob({ id, handler: 'work', payload: 'fail', runAt: app.clock.now() });
    await app.settle();
  };

  test('is told with runs that are stored, by the last that was asked for them', async () => {
    await scheduler.pause({ handler: 'work' });
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    const unnamed = await scheduler.runNow('job');
    const named = await asAda(() => scheduler.runNow('job'));
    const of = async (runId: string) => (await scheduler.getRuns({ runId })).items[0];
    const nobody = { requestedBy: null, requestedAction: null, note: null };
    expect(await of(unnamed.id)).toMatchObject(nobody);
    expect(await of(named.id)).toMatchObject({
      requestedBy: 'ada',
      requestedAction: 'runNow',
      note: 'asked by phone',
    });
    await scheduler.resume({ handler: 'work' });
    await app.settle();
    await fail('a');
    const [failed] = (await scheduler.getRuns({ jobId: 'a' })).items;
    await scheduler.pause({ handler: 'work' });
    const again = await scheduler.withActor({ by: 'bob' }, () => scheduler.retryRun(failed!.id));
    expect(await of(again.id)).toMatchObject({
      requestedBy: 'bob',
      requestedAction: 'retryRun',
      note: null,
      retryOf: failed!.id,
    });
  });

  test('is on record for what is done in its name, however deep, and for nothing else', async () => {
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    const deep = async (): Promise<void> => {
      await Promise.resolve();
      await scheduler.runNow('job');
    };
    await asAda(deep);
    await scheduler.pauseJob('job');
    await asAda(() => scheduler.withActor(null, () => scheduler.resumeJob('job')));
    const [entry, ...others] = await audit();
    expect(others).toEqual([]);
    const [run] = (await scheduler.getRuns()).items;
    expect(entry).toEqual({
      id: expect.any(String) as string,
      at: new Date(app.clock.now()),
      action: 'runNow',
      actor: 'ada',
      note: 'asked by phone',
      requestId: 'r-1',
      namespace: 'default',
      jobId: 'job',
      runId: run!.id,
      scope: null,
      details: null,
      count: 1,
    });
  });

  test('has for each change of one job what it was', async () => {
    await asAda(async () => {
      await scheduler.createIntervalJob({ ...job, hours: 1, payload: { secret: 'key' } });
      await scheduler.upsert({ ...job, every: '1h' });
      await scheduler.updateJob('job', { queue: 'mail', priority: 3, payload: { secret: 'other' } });
      await scheduler.pauseJob('job', { reason: 'audit', by: 'ada' });
      await scheduler.resumeJob('job');
      await scheduler.backfill('job', new Date(app.clock.now() - 7_200_000), new Date(app.clock.now()));
      await scheduler.cancelJob('job');
      await scheduler.deleteJob('job');
    });
    const entries = (await audit()).toReversed();
    expect(entries.map(({ action }) => action)).toEqual([
      ...['create', 'upsert', 'update', 'pause', 'resume', 'backfill', 'cancel', 'delete'],
    ]);
    expect(entries.every(({ jobId, actor }) => jobId === 'job' && actor === 'ada')).toBe(true);
    const summed = { bytes: expect.any(Number) as number, sha256: expect.any(String) as string };
    expect(entries[2]!.details).toMatchObject({
      before: { queue: 'default', priority: 5 },
      after: { queue: 'mail', priority: 3, payload: summed },
    });
    expect(entries[3]!.details).toMatchObject({
      before: { paused: null },
      after: { paused: { reason: 'audit', by: 'ada' } },
    });
    expect(entries[4]!.details).toMatchObject({
      before: { paused: { reason: 'audit' } },
      after: { paused: null },
    });
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  test('has nothing of what came to nothing', async () => {
    await asAda(async () => {
      await expect(scheduler.pauseJob('none')).rejects.toThrow(JobNotFoundError);
      expect(await scheduler.resume({ queue: 'mail' })).toBe(false);
      await scheduler.createIntervalJob({ ...job, hours: 1 });
      await scheduler.createIntervalJob({ ...job, hours: 2, onConflict: 'ignore' });
      await scheduler.deleteMany({ handler: 'nobody' });
    });
    expect((await audit()).map(({ action }) => action)).toEqual(['create']);
  });

  test('is one entry for a change of many, with its filter and how many it was', async () => {
    const jobs = Array.from({ length: 250 }, (_, nth) => ({ id: `job${nth}`, handler: 'work', every: '1h' }));
    await asAda(async () => {
      await scheduler.createMany(jobs);
      await scheduler.pauseMany({ handler: 'work' }, { reason: 'audit' });
      await scheduler.resumeMany({ handler: 'work', namespace: 'default' });
      await scheduler.deleteMany({}, { all: true, dryRun: true });
      await scheduler.deleteMany({}, { all: true });
    });
    const told = (await audit())
      .toReversed()
      .map(({ action, count, details, namespace }) => ({ action, count, details, namespace }));
    expect(told).toEqual([
      { action: 'createMany', count: 250, details: null, namespace: null },
      { action: 'pauseMany', count: 250, details: { filter: { handler: 'work' } }, namespace: null },
      {
        action: 'resumeMany',
        count: 250,
        details: { filter: { handler: 'work', namespace: 'default' } },
        namespace: 'default',
      },
      { action: 'deleteMany', count: 250, details: { filter: {} }, namespace: null },
    ]);
  });

  test('is on record for runs that gave up, with which they were', async () => {
    for (const id of ['a', 'b', 'c']) await fail(id);
    const [c, b] = (await scheduler.getRuns({ state: 'failed' })).items;
    await asAda(() => scheduler.retryRun(b!.id));
    expect(await last()).toMatchObject({ action: 'retryRun', jobId: 'b', details: { retryOf: b!.id } });
    await app.settle();
    await asAda(() => scheduler.discardRun(c!.id));
    expect(await last()).toMatchObject({ action: 'discardRun', jobId: 'c', runId: c!.id });
    await asAda(() => scheduler.retryFailed({ handler: 'work' }));
    expect(await last()).toMatchObject({
      action: 'retryFailed',
      count: 2,
      details: { filter: { handler: 'work' } },
    });
    await app.settle();
    await asAda(() => scheduler.discardFailed());
    expect(await last()).toMatchObject({ action: 'discardFailed', count: 2 });
  });

  test('is on record for runs: their end, their cancel, their signals', async () => {
    scheduler.registerHandler('open', (context) => context.open());
    for (const id of ['a', 'b', 'c'])
      await scheduler.createDateJob({ id, handler: 'open', runAt: app.clock.now(), keep: '1d' });
    await app.settle();
    const [c, b, a] = (await scheduler.getRuns({ state: 'open' })).items;
    await asAda(async () => {
      await scheduler.signal(a!.id, 'approved', { secret: 1 });
      await scheduler.complete(a!.id, { done: true });
      await scheduler.fail(b!.id, new Error('no'));
      await scheduler.cancelRun(c!.id);
    });
    const told = (await audit()).map(({ action, jobId, runId }) => [action, jobId, runId]);
    expect(told).toEqual([
      ['cancelRun', 'c', c!.id],
      ['fail', 'b', b!.id],
      ['complete', 'a', a!.id],
      ['signal', 'a', a!.id],
    ]);
    expect(JSON.stringify(await audit())).not.toContain('secret');
  });

  test('is on record for pauses of a scope', async () => {
    await asAda(async () => {
      await scheduler.pause({ queue: 'mail' }, { reason: 'audit' });
      await scheduler.resume({ queue: 'mail' });
      await scheduler.pause({ all: true });
    });
    const told = (await audit()).map(({ action, scope }) => [action, scope]);
    expect(told).toEqual([
      ['pauseScope', { all: true }],
      ['resumeScope', { queue: 'mail' }],
      ['pauseScope', { queue: 'mail' }],
    ]);
  });

  test('is on record for workflows and definitions', async () => {
    const workflows = app.app.get(WorkflowService);
    const definitions = app.app.get(DefinitionService);
    workflows.register(workflow('order').manual('approve'));
    await asAda(async () => {
      const { runId } = await workflows.start('order', { key: 'order-1' });
      await app.settle();
      await workflows.pause(runId);
      await workflows.resume(runId);
      await workflows.fail({ runId, step: 'approve' }, new Error('no'));
      await app.settle();
      await workflows.retry(runId);
      await app.settle();
      await workflows.complete({ runId, step: 'approve' });
      await definitions.define({ name: 'report', handler: 'fine' });
      await definitions.delete('report');
    });
    expect((await audit()).map(({ action }) => action).toReversed()).toEqual([
      ...['workflow.start', 'workflow.pause', 'workflow.resume', 'workflow.fail', 'workflow.retry'],
      ...['workflow.complete', 'definition.define', 'definition.delete'],
    ]);
  });

  test('of a tenant is what it has done, and of others nothing', async () => {
    const [acme, other] = [scheduler.forTenant('acme'), scheduler.forTenant('other')];
    await acme.withActor(ada, async () => {
      await acme.schedule('work', { id: 'job', every: '1h' });
      await acme.pauseMany({ handler: 'work' });
      await acme.pause({ all: true });
    });
    await asAda(() => scheduler.pause({ queue: 'mail' }));
    expect((await acme.getAudit()).items.map(({ action }) => action)).toEqual([
      ...['pauseScope', 'pauseMany', 'create'],
    ]);
    expect((await other.getAudit()).items).toEqual([]);
    await expect(acme.getAudit({ namespace: 'tenant:other' })).rejects.toThrow(InvalidOptionError);
  });

  test('is found by who, what, which and when', async () => {
    await asAda(() => scheduler.createIntervalJob({ ...job, hours: 1 }));
    await app.clock.advanceBy(3_600_000);
    const until = new Date(app.clock.now());
    await scheduler.withActor({ by: 'ben' }, () => scheduler.runNow('job'));
    const actions = async (query: object): Promise<string[]> =>
      (await scheduler.getAudit(query)).items.map(({ action }) => action);
    expect(await actions({ actor: 'ben' })).toEqual(['runNow']);
    expect(await actions({ action: ['create', 'delete'] })).toEqual(['create']);
    expect(await actions({ jobId: 'job', until })).toEqual(['create']);
    expect(await actions({ from: until })).toEqual(['runNow']);
    await expect(scheduler.getAudit({ action: 'eat' as never })).rejects.toThrow('action: must be');
    await expect(scheduler.getAudit({ who: 'ada' } as object)).rejects.toThrow(InvalidOptionError);
  });

  test('is validated before anything is done', () => {
    const created = (actor: unknown) => scheduler.withActor(actor as never, () => 1);
    expect(() => created({ by: '' })).toThrow('by: must be a non-empty text');
    expect(() => created({ by: 'a', notes: 'b' })).toThrow('Did you mean "note"?');
    expect(() => created(undefined)).toThrow(InvalidOptionError);
    expect(() => created({ by: 'a\nb' })).toThrow(InvalidOptionError);
  });

  test('a change with a request key is made once, and the second is told what the first came to', async () => {
    await scheduler.createIntervalJob({ ...job, hours: 1 });
    const once = { by: 'ada', requestKey: 'order-7', requestDigest: 'sum' };
    const run = await scheduler.withActor(once, () => scheduler.runNow('job'));
    const again: unknown = await scheduler
      .withActor(once, () => scheduler.runNow('job'))
      .catch((error: unknown) => error);
    expect(again).toBeInstanceOf(RequestRepeatedError);
    const { entry, message } = again as RequestRepeatedError;
    expect(message).toContain('"ada" has sent the request key "order-7" before: "runNow" was done at');
    expect(entry).toEqual((await scheduler.getAudit({ actor: 'ada', requestKey: 'order-7' })).items[0]);
    const answer = JSON.parse(JSON.stringify(run)) as object;
    expect(entry.request).toEqual({ key: 'order-7', digest: 'sum', answer });
    expect(await audit()).toHaveLength(1);
    // Of somebody else it is another one.
    await scheduler.withActor({ ...once, by: 'ben' }, () => scheduler.runNow('job'));
    expect(await audit()).toHaveLength(2);
  });

  test('what follows from a change with a request key is done with it', async () => {
    scheduler.registerHandler('pay', (context) => context.open());
    await scheduler.createIntervalJob({ id: 'pay', handler: 'pay', hours: 1, pauseAfterFailures: 1 });
    const { id } = await scheduler.runNow('pay');
    await app.settle();
    const fail = () => scheduler.fail(id, new Error('stolen'));
    await scheduler.withActor({ by: 'ada', requestKey: 'k' }, fail);
    expect((await audit()).map(({ action }) => action)).toEqual(['pause', 'fail']);
    await expect(scheduler.withActor({ by: 'ada', requestKey: 'k' }, fail)).rejects.toThrow(
      RequestRepeatedError,
    );
  });

  test('a request key is refused where it could not hold', async () => {
    const once = { by: 'ada', requestKey: 'k' };
    await expect(scheduler.withActor(once, () => scheduler.pauseMany({ handler: 'work' }))).rejects.toThrow(
      'is for one change, and this call changes many in several steps',
    );
    const given = (actor: object) => () => scheduler.withActor({ by: 'ada', ...actor }, () => undefined);
    expect(given({ requestKey: '' })).toThrow(InvalidOptionError);
    expect(given({ requestKey: 'a\nb' })).toThrow(InvalidOptionError);
    expect(given({ requestDigest: 'x' })).toThrow('requestDigest');
  });

  test('survives a restart from a snapshot', async () => {
    await asAda(() => scheduler.createIntervalJob({ ...job, hours: 1 }));
    const restored = MemoryStorage.restore(app.storage.snapshot(), { clock: app.clock });
    expect((await restored.queryAudit({}, {})).items.map(({ action }) => action)).toEqual(['create']);
  });
});

test('a storage that keeps no such record refuses to act in a name, and does nothing', async () => {
  const storage = new MemoryStorage();
  Object.assign(storage, { audited: undefined, queryAudit: undefined });
  const app = await NestApp.boot({ chronis: { storage, autoStart: false, allowUnknownHandler: true } });
  const created = app.scheduler.withActor(ada, () => app.scheduler.createIntervalJob({ ...job, hours: 1 }));
  await expect(created).rejects.toThrow(AuditNotSupportedError);
  await expect(app.scheduler.getAudit()).rejects.toThrow(AuditNotSupportedError);
  expect(await app.scheduler.countJobs()).toBe(0);
  await app.close();
});
