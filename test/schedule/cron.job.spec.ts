import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CronJob } from '../../lib/schedule/index.js';
import { complaint, start, stopTime, subjects } from './subjects.js';

const second = '* * * * * *';

describe.each(subjects)('a CronJob of $name', ({ cron: { CronJob, CronTime } }) => {
  let ticks: number[] = [];
  const tick = (): void => void ticks.push((Date.now() - start) / 1_000);

  beforeEach(() => {
    stopTime();
    ticks = [];
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test('starts, stops and starts again', () => {
    const job = new CronJob('*/2 * * * * *', tick);
    expect([job.isActive, job.isCallbackRunning, job.lastDate()]).toEqual([false, false, null]);
    void job.start();
    void job.start();
    vi.advanceTimersByTime(5_000);
    expect([ticks, job.isActive, job.lastDate()!.getTime()]).toEqual([[2, 4], true, start + 4_000]);
    void job.stop();
    vi.advanceTimersByTime(5_000);
    expect([ticks, job.isActive, vi.getTimerCount()]).toEqual([[2, 4], false, 0]);
    void job.start();
    vi.advanceTimersByTime(2_000);
    expect(ticks).toEqual([2, 4, 12]);
  });

  test('tells its next dates', () => {
    const job = new CronJob('0 30 9 * * 1-5', tick, null, false, 'America/New_York');
    expect(job.nextDate().toISO()).toBe('2026-03-10T09:30:00.000-04:00');
    expect(job.nextDates(3).map((date) => date.toISO())).toEqual([
      '2026-03-10T09:30:00.000-04:00',
      '2026-03-11T09:30:00.000-04:00',
      '2026-03-12T09:30:00.000-04:00',
    ]);
    expect(job.nextDates()).toEqual([]);
    expect(job.nextDate().zoneName).toBe('America/New_York');
    expect(job.cronTime.source).toBe('0 30 9 * * 1-5');
    expect(job.cronTime.timeZone).toBe('America/New_York');
  });

  test('takes all that it is made of, by position and by name', () => {
    const context = { name: 'context' };
    const seen: unknown[] = [];
    function onTick(this: unknown, onComplete?: () => void): void {
      seen.push(this, onComplete);
    }
    const onComplete = (): void => void seen.push('complete');
    const params = { cronTime: second, onTick, onComplete, start: true, timeZone: 'Asia/Seoul', context };
    const more = { runOnInit: true, unrefTimeout: true, waitForCompletion: true, name: 'job', threshold: -5 };
    const [byName, byPosition] = [
      CronJob.from({ ...params, ...more }),
      new CronJob(
        second,
        onTick,
        onComplete,
        true,
        'Asia/Seoul',
        context,
        true,
        null,
        true,
        true,
        null,
        'job',
        -5,
      ),
    ];
    for (const job of [byName, byPosition]) {
      const { context: own, unrefTimeout, waitForCompletion, name, threshold, runOnce, lastExecution } = job;
      expect({ own, unrefTimeout, waitForCompletion, name, threshold, runOnce, lastExecution }).toEqual({
        ...{ own: context, unrefTimeout: true, waitForCompletion: true, name: 'job', threshold: 5 },
        ...{ runOnce: false, lastExecution: new Date(start) },
      });
      void job.stop();
    }
    expect(seen.slice(0, 2)).toEqual([context, onComplete]);
    const plain = new CronJob(second, onTick);
    expect([plain.context, plain.waitForCompletion, plain.unrefTimeout, plain.threshold]).toEqual([
      ...[plain, false, false, 250],
    ]);
  });

  test('calls all callbacks, and onComplete when it stops', async () => {
    const seen: string[] = [];
    const job = CronJob.from({
      ...{ cronTime: second, start: true },
      onTick: () => void seen.push('tick'),
      onComplete: () => void seen.push('complete'),
    });
    job.addCallback(() => void seen.push('more'));
    vi.advanceTimersByTime(1_000);
    await job.stop();
    expect(seen).toEqual(['tick', 'more', 'complete']);
    await job.fireOnTick();
    expect(seen).toEqual(['tick', 'more', 'complete', 'tick', 'more']);
    expect(job.lastDate()!.getTime()).toBe(start + 1_000);
  });

  test('with waitForCompletion, leaves out ticks, and stop() resolves at the end of the one that goes on', async () => {
    const seen: string[] = [];
    const job = CronJob.from({
      ...{ cronTime: second, start: true, waitForCompletion: true },
      onTick: async () => {
        seen.push('begin');
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        seen.push('end');
      },
      onComplete: () => void seen.push('complete'),
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(job.isCallbackRunning).toBe(true);
    const stopped = Promise.resolve(job.stop()).then(() => seen.push('stopped'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen).toEqual(['begin']);
    await vi.advanceTimersByTimeAsync(1_000);
    await stopped;
    expect(seen).toEqual(['begin', 'end', 'complete', 'stopped']);
    expect(job.isCallbackRunning).toBe(false);
  });

  test.each([
    ['throws', false],
    ['throws', true],
    ['rejects', false],
    ['rejects', true],
  ])(
    'a callback that %s (waitForCompletion: %s) ends in errorHandler, else on the console',
    async (how, wait) => {
      const onTick = (): unknown => {
        if (how === 'rejects') return Promise.reject(new Error('tick'));
        throw new Error('tick');
      };
      const written = vi.spyOn(console, 'error').mockImplementation(() => undefined);
      const handled: unknown[] = [];
      const params = { cronTime: second, onTick, waitForCompletion: wait };
      await CronJob.from({ ...params, errorHandler: (error) => void handled.push(error) }).fireOnTick();
      await vi.advanceTimersByTimeAsync(0);
      expect([handled, written.mock.calls]).toEqual([[new Error('tick')], []]);
      await CronJob.from(params).fireOnTick();
      await vi.advanceTimersByTimeAsync(0);
      expect(written.mock.calls).toEqual([['[Cron] error in callback', new Error('tick')]]);
    },
  );

  test('what onComplete throws is written to the console', async () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const onComplete = (): void => {
      throw new Error('complete');
    };
    await CronJob.from({ cronTime: second, onTick: tick, onComplete }).stop();
    await vi.advanceTimersByTimeAsync(0);
    expect(written.mock.calls).toEqual([['[Cron] error in onComplete callback:', new Error('complete')]]);
  });

  test('setTime gives another schedule, and goes on if it was active', async () => {
    const job = new CronJob(second, tick, null, true);
    vi.advanceTimersByTime(1_000);
    void job.setTime(new CronTime('*/5 * * * * *'));
    vi.advanceTimersByTime(10_000);
    expect([ticks, job.isActive]).toEqual([[1, 5, 10], true]);
    const idle = new CronJob(second, tick);
    void idle.setTime(new CronTime('*/5 * * * * *'));
    expect(idle.isActive).toBe(false);
    void job.setTime(new CronTime(new Date(start + 20_500)));
    vi.advanceTimersByTime(60_000);
    expect([ticks, job.isActive]).toEqual([[1, 5, 10, 20.5], false]);
    expect(await complaint(() => job.setTime('* * * * *' as never))).toBe(
      'time must be an instance of CronTime.',
    );
  });

  test('waits for longer than a timer can', () => {
    const job = new CronJob('0 0 0 1 1 *', tick, null, true, 'UTC');
    vi.advanceTimersByTime(Date.parse('2026-12-31T23:59:59Z') - start);
    expect(ticks).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(ticks).toEqual([(Date.parse('2027-01-01T00:00:00Z') - start) / 1_000]);
    expect(job.nextDate().toMillis()).toBe(Date.parse('2028-01-01T00:00:00Z'));
    void job.stop();
  });

  test('waits on when the clock is set back', () => {
    const job = new CronJob('0 1 10 * * *', tick, null, true, 'UTC');
    vi.advanceTimersByTime(59_000);
    vi.setSystemTime(Date.now() - 30_000);
    vi.advanceTimersByTime(2_000);
    expect(ticks).toEqual([]);
    vi.advanceTimersByTime(29_000);
    expect(ticks).toEqual([60]);
    void job.stop();
  });

  test('goes on by the new clock when it is set back by far', () => {
    const job = new CronJob('*/10 * * * * *', tick, null, true);
    vi.advanceTimersByTime(15_000);
    expect(ticks).toEqual([10]);
    vi.setSystemTime(start + 1_000 - 3_600_000);
    vi.advanceTimersByTime(20_000);
    expect(ticks).toEqual([10, 10 - 3_600, 20 - 3_600]);
    void job.stop();
  });

  test('runs once after the event loop was blocked, and goes on from there', () => {
    const job = new CronJob(second, tick, null, true);
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(start + 7_300);
    vi.advanceTimersByTime(1_000);
    vi.advanceTimersByTime(1_000);
    expect(ticks).toHaveLength(2 + 1);
    void job.stop();
  });

  test.each([
    [100, undefined, 'Executing immediately.', 1],
    [300, undefined, 'Skipping execution as it exceeds threshold (250ms).', 0],
    [300, 400, 'Executing immediately.', 1],
  ])('an instant missed by %d ms with the threshold %s', (late, threshold, told, expected) => {
    const written = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const job = CronJob.from({ cronTime: second, onTick: tick, name: 'late', threshold: threshold ?? null });
    vi.spyOn(job.cronTime, 'getTimeout').mockReturnValueOnce(-late);
    void job.start();
    expect(ticks).toHaveLength(expected);
    expect(written.mock.calls).toEqual([
      [
        `[Cron] Missed execution deadline by ${late}ms for job "late" with cron expression '* * * * * *'. ${told}`,
      ],
    ]);
    vi.advanceTimersByTime(1_000);
    expect(ticks).toHaveLength(expected + 1);
    void job.stop();
  });

  test('lets the process end with unrefTimeout', () => {
    vi.useRealTimers();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    for (const unrefTimeout of [true, false]) {
      const job = CronJob.from({ cronTime: second, onTick: tick, start: true, unrefTimeout });
      const timer = timers.mock.results.at(-1)!.value as NodeJS.Timeout;
      expect(timer.hasRef()).toBe(!unrefTimeout);
      void job.stop();
    }
  });

  test('a date that is past throws', async () => {
    const past = 'WARNING: Date in past. Will never be fired.';
    const job = new CronJob(new Date(start - 1), tick);
    expect([await complaint(() => job.start()), await complaint(() => job.nextDate())]).toEqual([past, past]);
    expect(job.runOnce).toBe(true);
  });

  test('a job whose start has failed starts with its next schedule', async () => {
    const job = new CronJob(new Date(start - 1), tick);
    await complaint(() => job.start());
    expect([job.isActive, vi.getTimerCount()]).toEqual([true, 0]);
    void job.setTime(new CronTime(new Date(start + 2_000)));
    vi.advanceTimersByTime(5_000);
    expect([ticks, job.isActive]).toEqual([[2], false]);
  });
});

test('isActive is also called running, as in older versions of the cron package', () => {
  stopTime();
  const job = new CronJob(second, () => undefined);
  expect(job.running).toBe(false);
  void job.start();
  expect(job.running).toBe(true);
  void job.stop();
  expect(job.running).toBe(false);
  vi.useRealTimers();
});
