import type { Provider } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Interval, JobHandler, type ChronisModuleOptions } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { addOneOff, claimOne, startWorker } from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { NestApp } from '../support/nest.app.js';
import { Gate } from '../support/real.app.js';

describe('the health of a process', () => {
  const booted = '2026-01-01T00:00:00.000Z';
  const at = (seconds: number): Date => new Date(Date.parse(booted) + seconds * 1_000);
  let clock: ManualClock;
  let faulty: FaultyStorage;
  let app: NestApp;
  let gate: Gate;

  beforeEach(() => {
    clock = new ManualClock(booted);
    faulty = new FaultyStorage(new MemoryStorage({ clock }));
    gate = new Gate();
  });
  afterEach(async () => {
    faulty.comeUp();
    gate.release();
    await app.close();
  });

  async function boot(
    chronis: ChronisModuleOptions = {},
    providers: Provider[] = [],
  ): Promise<NestApp['scheduler']> {
    const jobs = () => gate.passed;
    class Jobs {
      @JobHandler('work')
      work(): Promise<void> {
        return jobs();
      }
    }
    app = await NestApp.boot({
      clock,
      providers: [Jobs, ...providers],
      chronis: { storage: faulty.storage, ...chronis },
    });
    return app.scheduler;
  }

  test('is good where it works by a lease and the storage answers', async () => {
    const scheduler = await boot({ leaseMs: '30s' });
    await scheduler.schedule('work', { in: 0 });
    await clock.advanceBy(25_000);
    expect(await scheduler.health()).toEqual({
      healthy: true,
      problems: [],
      warnings: [],
      reasons: [],
      state: 'working',
      since: at(0),
      running: 1,
      lease: { workerId: expect.any(String) as string, renewedAt: at(20), until: at(50) },
      storage: { kind: 'memory', answers: true, tookMs: 0, failing: [] },
    });
  });

  test('is told by status() without asking the storage: handlers by queue, the lease, and the last turn of the loop', async () => {
    const scheduler = await boot({
      leaseMs: '30s',
      pollMs: '5s',
      queues: ['default', 'mail'],
      concurrency: 3,
    });
    await scheduler.schedule('work', { in: 0, queue: 'mail' });
    await clock.advanceBy(25_000);
    const asked = faulty.calls.length;
    const status = scheduler.status();
    expect(faulty.calls.length).toBe(asked);
    expect(status).toMatchObject({
      ...{ state: 'working', since: at(0), running: 1, concurrency: 3, pollMs: 5_000 },
      runningIn: [
        { queue: 'default', runs: 0 },
        { queue: 'mail', runs: 1 },
      ],
      lease: { renewedAt: at(20), until: at(50) },
    });
    expect(at(25).getTime() - status.turnedAt!.getTime()).toBeLessThanOrEqual(6_000);
    faulty.goDown();
    await clock.advanceBy(10_000);
    expect(clock.now() - scheduler.status().turnedAt!.getTime()).toBeLessThanOrEqual(6_000);
    await clock.advanceBy(600_000);
    expect(scheduler.status()).toMatchObject({ state: 'working', lease: null, turnedAt: null });
  });

  test('has a code for each reason: what a problem is, and what a warning', async () => {
    const scheduler = await boot();
    faulty.goDown();
    await clock.advanceBy(10_000);
    const { reasons, problems, warnings } = await scheduler.health();
    expect(reasons.map(({ code }) => code)).toContain('health.storage-silent');
    expect(reasons.map(({ sentence }) => sentence)).toEqual([...problems, ...warnings]);
  });

  test('is good where it is not to work', async () => {
    const scheduler = await boot({ autoStart: false });
    await clock.advanceBy(5_000);
    const idle = { healthy: true, problems: [], state: 'idle', since: at(0), lease: null, running: 0 };
    expect(await scheduler.health()).toMatchObject(idle);
    await scheduler.start();
    expect(await scheduler.health()).toMatchObject({ healthy: true, state: 'working', since: at(5) });
  });

  test('is good while it drains, until it is idle', async () => {
    const scheduler = await boot({ shutdownTimeoutMs: '60s' });
    await scheduler.schedule('work', { in: 0 });
    await clock.advanceBy(5_000);
    const stopped = scheduler.stop();
    await clock.advanceBy(20_000);
    const draining = await scheduler.health();
    expect(draining).toMatchObject({ healthy: true, state: 'draining', since: at(5), running: 1 });
    expect(draining.lease).not.toBeNull();
    gate.release();
    await app.passUntil(stopped);
    expect(await scheduler.health()).toMatchObject({ healthy: true, state: 'idle', lease: null, running: 0 });
  });

  test('is bad while the storage is away, first without an answer, then without a lease, until it is back', async () => {
    const scheduler = await boot({ leaseMs: '30s', pollMs: '5s' });
    await clock.advanceBy(2_000);
    faulty.goDown();
    await clock.advanceBy(10_000);
    const away = await scheduler.health();
    expect(away).toMatchObject({ healthy: false, state: 'working', storage: { answers: false } });
    expect(away.lease).not.toBeNull();
    expect(away.problems[0]).toBe('The storage does not answer: The storage is away.');
    expect(away.problems).toContainEqual(
      expect.stringMatching(
        /^"work" does not get through since 2026-01-01T00:00:0\dZ?.*: The storage is away\.$/,
      ),
    );
    const [work] = away.storage.failing.filter(({ operation }) => operation === 'work');
    expect(work!.since.getTime()).toBeLessThan(at(12).getTime());
    await clock.advanceBy(30_000);
    const lost = await scheduler.health();
    expect(lost).toMatchObject({ healthy: false, state: 'working', lease: null });
    expect(lost.problems).toContain(
      'This process has no lease since 2026-01-01T00:00:25.000Z, so it runs nothing.',
    );
    faulty.comeUp();
    // The janitor's rounds as well.
    await clock.advanceBy(120_000);
    const back = await scheduler.health();
    expect(back).toMatchObject({ healthy: true, problems: [], storage: { answers: true, failing: [] } });
    expect(back.lease).not.toBeNull();
  });

  test('is bad for as long as nothing can be fired, though the storage answers to all else', async () => {
    class EverySecond {
      @Interval('1s', { id: 'g' })
      run(): void {}
    }
    const scheduler = await boot({}, [EverySecond]);
    await clock.advanceBy(2_000);
    faulty.fail('fire', ...Array.from({ length: 100 }, () => 'before' as const));
    await clock.advanceBy(2_000);
    for (let second = 0; second < 14; second++) {
      await clock.advanceBy(1_000);
      const { healthy, problems, storage } = await scheduler.health();
      expect(healthy).toBe(false);
      expect(problems).toEqual([expect.stringMatching(/^"work" does not get through .*: fire failed\.$/)]);
      expect(storage.answers).toBe(true);
    }
    faulty.relent('fire');
    await clock.advanceBy(5_000);
    expect(await scheduler.health()).toMatchObject({ healthy: true, problems: [] });
  });

  test('names what fails for itself, and is good all the same', async () => {
    const scheduler = await boot();
    faulty.fail('prune', 'before', 'before', 'before');
    await clock.advanceBy(60_000);
    const { healthy, storage } = await scheduler.health();
    expect(healthy).toBe(true);
    expect(storage.failing).toMatchObject([{ operation: 'prune', error: 'prune failed.' }]);
  });

  test('is told within its time where the storage is silent, which is asked once', async () => {
    let asked = 0;
    class Silent extends MemoryStorage {
      override now(): Promise<number> {
        asked++;
        return new Promise(() => undefined);
      }
    }
    const scheduler = await boot({ autoStart: false, storage: new Silent({ clock }) });
    asked = 0;
    const told = [scheduler.health(), scheduler.health({ timeout: '1s' }), scheduler.health()];
    const text = (ms: number): object => ({
      healthy: false,
      problems: [`The storage does not answer: nothing came within ${ms} ms.`],
      storage: { answers: false, tookMs: ms },
    });
    await clock.advanceBy(2_000);
    expect(await Promise.all(told)).toMatchObject([text(2_000), text(1_000), text(2_000)]);
    expect(asked).toBe(1);
  });

  class Polls {
    @Interval('5s', { id: 'poll', queue: 'polls' })
    poll(): void {}
  }

  test('warns of due jobs that no live process runs, in queues and of handlers, and is good all the same', async () => {
    const scheduler = await boot({}, [Polls]);
    await scheduler.createDateJob({ id: 'lost', handler: 'gone', in: '1s', allowUnknownHandler: true });
    await scheduler.createDateJob({ id: 'later', handler: 'gone', in: '1h', allowUnknownHandler: true });
    await scheduler.createDateJob({ id: 'letter', handler: 'work', queue: 'mail', in: '1s' });
    await scheduler.createDateJob({ id: 'report', handler: 'work', queue: 'mail', in: '2s' });
    await scheduler.createDateJob({ id: 'held', handler: 'work', queue: 'mail', in: '1s' });
    await scheduler.pauseJob('held');
    // Their next times come before those of what is put off.
    await scheduler.createMany(
      Array.from({ length: 150 }, (_, i) => ({ id: `often-${i}`, handler: 'work', every: '61s' })),
    );
    gate.release();
    await clock.advanceBy(60_000);
    const { healthy, problems, warnings } = await scheduler.health();
    expect({ healthy, problems }).toEqual({ healthy: true, problems: [] });
    expect(warnings.toSorted()).toEqual([
      'No live process of "default" has the handler "Polls.poll" and the queue "polls": nothing runs the job "poll", which is due.',
      'No live process of "default" has the handler "gone" and the queue "default": nothing runs the job "lost", which is due.',
      'No live process of "default" has the handler "work" and the queue "mail": nothing runs the jobs "letter" and "report", which are due.',
    ]);
  });

  test('warns of a run that is executed alone, and so does the explanation of what waits meanwhile', async () => {
    const { storage } = faulty;
    const policies = { maxLost: 2 };
    await addOneOff(storage, { id: 'long', name: null, app: 'default', policies });
    const lost = await startWorker(storage, { app: 'default', leaseMs: 1_000 });
    await claimOne(storage, lost);
    await clock.advanceBy(2_000);
    const scheduler = await boot({ concurrency: 10 });
    await clock.advanceBy(5_000);
    const { runId } = app.told.find(({ name }) => name === 'run.isolated')!.event as { runId: string };
    const [long] = (await scheduler.getRuns({ runId })).items;
    const started = long!.startedAt!.getTime();
    const until = new Date(started + 300_000).toISOString();
    const code = 'health.isolated-run';
    const sentence = `Nothing else begins in this process until run ${runId} of "long" (work) has ended, or ${until} at the latest: its workers have died (1), so it is executed alone.`;
    expect(await scheduler.health()).toMatchObject({
      ...{ healthy: true, warnings: [sentence], reasons: [{ code, severity: 'warning', sentence }] },
    });
    const { nextRunAt } = await scheduler.schedule('work', { id: 'waits', in: '1s' });
    await clock.advanceBy(10_000);
    const explain = () => scheduler.explain('waits', nextRunAt!);
    const wall = until.slice(0, 19).replace('T', ' ');
    expect(await explain()).toMatchObject({ answer: 'waits', cause: 'isolated-run' });
    expect((await explain()).sentence).toContain(
      `waits for the end of run ${runId} of "long" (work), or until ${wall} (UTC) at the latest: the workers of that have died (1), so it is executed alone`,
    );
    const [covered] = (await scheduler.coverage('waits')).instants;
    expect(covered).toMatchObject({ cause: 'isolated-run' });
    // Another process takes it, as soon as there is room.
    const other = await startWorker(storage, { app: 'default', leaseMs: 60_000 });
    expect(await explain()).toMatchObject({ cause: 'no-free-slot' });
    await storage.unregister(other.workerId);
    await clock.advanceBy(300_000);
    expect((await scheduler.health()).warnings).toEqual([]);
    expect(await explain()).toMatchObject({ answer: 'runs', cause: 'running' });
  });

  test('looks for such jobs once a minute, and no longer than the storage may take to answer', async () => {
    const looks: string[] = [];
    let silent = false;
    class Counting extends MemoryStorage {
      override queryJobs(
        ...given: Parameters<MemoryStorage['queryJobs']>
      ): ReturnType<MemoryStorage['queryJobs']> {
        looks.push('look');
        return silent ? new Promise(() => undefined) : super.queryJobs(...given);
      }
    }
    const storage = new Counting({ clock });
    const scheduler = await boot({ autoStart: false, storage });
    await scheduler.createDateJob({ id: 'due', handler: 'work', in: 0 });
    looks.length = 0;
    const warnings = [
      'No live process of "default" has the handler "work" and the queue "default": nothing runs the job "due", which is due.',
    ];
    for (let i = 0; i < 3; i++) expect(await scheduler.health()).toMatchObject({ healthy: true, warnings });
    expect(looks).toHaveLength(3);
    silent = true;
    await clock.advanceBy(60_000);
    const told = scheduler.health({ timeout: '1s' });
    await clock.advanceBy(1_000);
    expect(await told).toMatchObject({ healthy: true, warnings });
    expect(looks).toHaveLength(6);
  });

  test('refuses options that it does not know, and times that are none', async () => {
    const scheduler = await boot();
    await expect(scheduler.health({ within: '1s' } as never)).rejects.toThrow(
      'within: health() has no such option. There are: timeout.',
    );
    await expect(scheduler.health({ timeout: 'soon' })).rejects.toThrow(/^timeout/);
  });
});
