import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidOptionError, SchedulerService } from '../../lib/index.js';
import { apartFromTransactions, joinableCalls, type SchedulerCall } from '../support/joinable.calls.js';
import { NestApp } from '../support/nest.app.js';

/** What calls take beside a transaction, of the job that they name or of what they do. */
const ofOneJob = ['namespace'];
const options: Readonly<Record<string, readonly string[]>> = {
  getJob: ofOneJob,
  previewJob: [...ofOneJob, 'from', 'count'],
  updateJob: [...ofOneJob, 'expectedRevision'],
  resetJob: ofOneJob,
  pauseJob: [...ofOneJob, 'reason'],
  resumeJob: ofOneJob,
  deleteJob: ofOneJob,
  cancelJob: ofOneJob,
  runNow: ofOneJob,
  backfill: [...ofOneJob, 'overlap', 'limit', 'includeSucceeded', 'dryRun'],
  createMany: ['onConflict'],
  complete: ['wait'],
  fail: ['wait'],
  pauseMany: ['all', 'dryRun', 'reason', 'most', 'signal', 'onStep'],
  resumeMany: ['all', 'dryRun'],
  cancelMany: ['all', 'dryRun'],
  deleteMany: ['all', 'dryRun'],
  pause: ['reason'],
  retryFailed: ['dryRun', 'spread'],
  discardFailed: ['dryRun', 'most', 'signal', 'onStep'],
};

/** Of calls that need to be told from when on; what are no options stays so. */
const sinceEver = (given: unknown): { from: number } =>
  (given?.constructor === Object ? { from: 0, ...given } : given) as { from: number };

/** The same of those that need a run. */
const ofRun = (given: unknown): { runId: string } =>
  (given?.constructor === Object ? { runId: '1', ...given } : given) as { runId: string };

/** Those that are not part of a transaction, and take options. */
const apart: readonly SchedulerCall[] = [
  ['registerHandler', async (s, o) => s.registerHandler('other', () => undefined, o)],
  ['forTenant', async (s, o) => s.forTenant('acme', o)],
  ['waitForRun', (s, o) => s.waitForRun('1', o)],
  ['health', (s, o) => s.health(o)],
  ['getRunLog', (s, o) => s.getRunLog(ofRun(o))],
  ['getOverdue', (s, o) => s.getOverdue(o)],
  ['getStatistics', (s, o) => s.getStatistics(sinceEver(o))],
  ['rebuildStatistics', (s, o) => s.rebuildStatistics(sinceEver(o))],
];
const ofApart: typeof options = {
  registerHandler: ['backoff', 'retryIf', 'schema', 'previousNames'],
  forTenant: ['metadataKey'],
  waitForRun: ['timeout', 'signal'],
  health: ['timeout'],
  getOverdue: ['namespace', 'limit'],
  getRunLog: ['attempt', 'level', 'limit', 'cursor'],
  getStatistics: ['until', 'by', 'namespace', 'queue', 'handler', 'limit', 'cursor'],
  rebuildStatistics: ['until'],
};
const withoutOptions = [
  'constructor',
  'withdrawHandler',
  'offerHandler',
  'withTransaction',
  'withActor',
  'running',
  'status',
  'start',
  'stop',
];

const all = [
  ...joinableCalls.map(([name, call]) => [name, call, ['manager', ...(options[name] ?? [])]] as const),
  ...apart.map(([name, call]) => [name, call, ofApart[name]!] as const),
];
const ofTenants = all.filter(
  ([name]) => !['registerHandler', 'forTenant', 'health', 'waitForRun', 'rebuildStatistics'].includes(name),
);

test('every call that there is, and each of its options, is looked at here', () => {
  expect([...apart.map(([name]) => name), ...withoutOptions].toSorted()).toEqual(
    apartFromTransactions.toSorted(),
  );
  expect(Object.keys(options).filter((name) => !joinableCalls.some(([call]) => call === name))).toEqual([]);
});

describe('an option that is misspelt', () => {
  let app: NestApp;

  beforeAll(async () => {
    app = await NestApp.boot();
    const { scheduler } = app;
    scheduler.registerHandler('work', () => undefined);
    await scheduler.createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
    await scheduler.forTenant('acme').createIntervalJob({ id: 'a', handler: 'work', hours: 1 });
  });
  afterAll(() => app.close());

  const stored = async () => [
    await app.scheduler.queryJobs(),
    await app.scheduler.getRuns(),
    await app.scheduler.getPauses(),
  ];

  async function refused(
    scheduler: SchedulerService,
    [name, call, known]: (typeof all)[number],
  ): Promise<void> {
    const before = await stored();
    for (const option of known) {
      const misspelt = option.slice(0, 2) + option.slice(1);
      const error: unknown = await call(scheduler, { [misspelt]: 'x' }).then(
        () => 'nothing was refused',
        (reason: unknown) => reason,
      );
      expect(error, `${name}: ${misspelt}`).toBeInstanceOf(InvalidOptionError);
      expect(String(error)).toContain(`${misspelt}: `);
      expect(String(error)).toContain(`${name}()`);
      expect(String(error)).toContain(`Did you mean "${option}"?`);
    }
    expect(await stored()).toEqual(before);
  }

  test.each(all)('is refused by %s', (...args) => refused(app.scheduler, args));

  test.each(ofTenants)('is refused by %s of a tenant', (...args) =>
    refused(app.scheduler.forTenant('acme') as SchedulerService, args),
  );

  test.each(all)('and so is what are no options, by %s', async (_, call) => {
    await expect(call(app.scheduler, null as never)).rejects.toBeInstanceOf(InvalidOptionError);
  });

  test('schedule() of a tenant refuses a handler that is given twice', async () => {
    const given = { in: '1h', handler: 'other' } as { in: string };
    const again = app.scheduler.forTenant('acme').schedule('work', given);
    await expect(again).rejects.toThrow('handler: is given twice');
  });
});
