import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, type PauseScope } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const minute = 60_000;
const start = new Date('2026-01-01T00:00:00Z').getTime();
const at = (ms: number): Date => new Date(start + ms);

describe('pausing many at once', () => {
  let app: NestApp;
  let ran: string[];

  beforeEach(async () => {
    app = await NestApp.boot({ chronis: { queues: ['default', 'mail'] } });
    ran = [];
    for (const name of ['work', 'send']) {
      app.scheduler.registerHandler(name, ({ job }) => void ran.push(job.id));
    }
    await app.scheduler.createIntervalJob({ id: 'a', handler: 'work', minutes: 1 });
    await app.scheduler.createIntervalJob({
      id: 'b',
      handler: 'send',
      minutes: 1,
      queue: 'mail',
      namespace: 'acme',
    });
  });
  afterEach(() => app.close());

  const pass = async (minutes: number): Promise<string[]> => {
    for (let passed = 0; passed < minutes; passed++) {
      await app.clock.advanceBy(minute);
      await app.settle();
    }
    return ran.splice(0).toSorted();
  };

  test.each<[PauseScope, string[]]>([
    [{ handler: 'send' }, ['a']],
    [{ queue: 'mail' }, ['a']],
    [{ namespace: 'acme' }, ['a']],
    [{ all: true }, []],
  ])('%o stops what it names until it is resumed; what fell into it is a gap', async (scope, others) => {
    expect(await pass(1)).toEqual(['a', 'b']);
    const pause = await app.scheduler.pause(scope, { reason: 'audit', by: 'ops' });
    expect(pause).toEqual({ scope, reason: 'audit', by: 'ops', until: null, at: at(minute) });
    expect(await app.scheduler.getPauses()).toEqual([pause]);
    const pausedBy = Object.keys(scope)[0] as 'handler' | 'queue' | 'namespace' | 'all';
    const b = (await app.scheduler.getJob('b', { namespace: 'acme' }))!;
    expect(b).toMatchObject({ pausedBy, state: 'paused', paused: null });
    expect((await app.scheduler.queryJobs({ pausedBy })).items).toContainEqual(b);
    expect((await app.scheduler.queryJobs({ state: 'paused' })).items).toContainEqual(b);
    const { remarks } = await app.scheduler.previewJob('b', { namespace: 'acme' });
    expect(remarks).toEqual([
      { code: 'paused', text: expect.stringMatching(/ paused: it does not fire until that is resumed\.$/) },
    ]);
    expect(await pass(1)).toEqual(others);
    expect(await pass(2)).toEqual([...others, ...others]);
    await app.clock.advanceBy(minute / 2);
    expect(await app.scheduler.resume(scope)).toBe(true);
    await app.settle();
    expect(ran).toEqual([]);
    expect((await app.scheduler.getGaps({ jobId: 'b', namespace: 'acme' })).items).toMatchObject([
      { verdict: 'paused', count: 3, from: at(2 * minute), until: at(4 * minute), reason: 'pause' },
    ]);
    expect(await app.scheduler.getPauses()).toEqual([]);
    expect(await pass(1)).toEqual(['a', 'b']);
    expect(await app.scheduler.resume(scope)).toBe(false);
  });

  test('runs that were made by hand or that failed wait for the resume as well', async () => {
    await app.scheduler.pause({ handler: 'work' });
    await app.scheduler.runNow('a');
    await app.scheduler.createDateJob({ id: 'one-off', handler: 'work', in: '30s' });
    expect(await pass(2)).toEqual(['b', 'b']);
    await app.scheduler.resume({ handler: 'work' });
    await app.settle();
    expect(ran.toSorted()).toEqual(['a', 'one-off']);
  });

  test('a worker that sleeps is woken by the resume, not by its poll', async () => {
    await app.scheduler.pause({ all: true });
    await app.scheduler.createDateJob({ id: 'one-off', handler: 'work', runAt: new Date(app.clock.now()) });
    await app.settle();
    await app.scheduler.resume({ all: true });
    await app.settle();
    expect(ran).toEqual(['one-off']);
  });

  test('a job whose next time cannot be computed does not keep the others paused', async () => {
    await app.scheduler.pause({ all: true });
    const broken = { type: 'cron' as const, expression: 'never' };
    await app.storage.updateJob(
      { namespace: 'default', id: 'a' },
      { trigger: broken, nextAt: start + minute },
    );
    await pass(2);
    await app.scheduler.resume({ all: true });
    expect(await pass(1)).toEqual(['b']);
    expect((await app.scheduler.getJob('a'))?.state).toBe('paused');
    expect(app.heard('schedule.failed')).toHaveLength(1);
  });

  test.each([
    [{}, /scope: must be one of/],
    [{ handler: 'a', queue: 'b' }, /scope: must be one of/],
    [{ queues: 'b' }, /Did you mean "queue"/],
    [{ all: false }, /all: must be true/],
    [{ handler: '' }, /handler: must be a non-empty text/],
    [{ namespace: 'a/b' }, /must not hold a "\/"/],
    ['work', /takes an object/],
  ])('a wrong scope is refused: %o', async (scope, message) => {
    const wrong = scope as unknown as PauseScope;
    await expect(app.scheduler.pause(wrong)).rejects.toThrow(message);
    await expect(app.scheduler.resume(wrong)).rejects.toThrow(InvalidOptionError);
    await expect(app.scheduler.pause({ all: true }, { why: 'x' } as object)).rejects.toThrow(/why/);
    expect(await app.scheduler.getPauses()).toEqual([]);
  });
});
