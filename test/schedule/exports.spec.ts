import { Injectable } from '@nestjs/common';
import { Cron as OriginalCron } from '@nestjs/schedule';
import * as cron from 'cron';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as door from '../../lib/schedule/index.js';
import { start, stopTime } from './subjects.js';

beforeEach(() => stopTime(start));
afterEach(() => vi.useRealTimers());

test('the functions of the cron package come from the door, and tell the same', () => {
  for (const time of ['*/7 * * * * *', '0 9 * * 1', new Date(start + 5_000)]) {
    expect(door.sendAt(time).toMillis()).toBe(cron.sendAt(time).toMillis());
    expect(door.timeout(time)).toBe(cron.timeout(time));
  }
  for (const text of ['* * * * *', '@daily', '99 * * * *', 'whenever', '']) {
    expect(door.validateCronExpression(text).valid).toBe(cron.validateCronExpression(text).valid);
  }
});

test('its types have their names', () => {
  const tick: door.CronCommand<null> = () => undefined;
  const end: door.CronOnCompleteCommand = () => undefined;
  const job = new door.CronJob('0 9 * * *', tick, end);
  expect(job.isActive).toBe(false);
});

test('the keys of the metadata are those of @nestjs/schedule, and are on the methods', () => {
  const { SCHEDULE_CRON_OPTIONS, SCHEDULE_INTERVAL_OPTIONS, SCHEDULER_NAME } = door;
  const names = ['CRON_OPTIONS', 'INTERVAL_OPTIONS', 'MODULE_OPTIONS', 'TIMEOUT_OPTIONS'];
  for (const key of ['SCHEDULER_NAME', 'SCHEDULER_TYPE', ...names.map((name) => `SCHEDULE_${name}`)]) {
    expect((door as never)[key]).toBe(key);
  }
  @Injectable()
  class Jobs {
    @door.Cron('0 9 * * *', { name: 'a' })
    cron(): void {}
    @door.Interval('b', 5_000)
    interval(): void {}
  }
  class Original {
    @OriginalCron('0 9 * * *', { name: 'a' })
    cron(): void {}
  }
  const read = (key: string, type: { prototype: object }, method: string): unknown =>
    Reflect.getMetadata(key, (type.prototype as Record<string, object>)[method]!);
  const options = read(SCHEDULE_CRON_OPTIONS, Jobs, 'cron');
  expect(options).toEqual({ name: 'a', cronTime: '0 9 * * *' });
  expect(options).toEqual(read(SCHEDULE_CRON_OPTIONS, Original, 'cron'));
  expect(read(SCHEDULE_INTERVAL_OPTIONS, Jobs, 'interval')).toEqual({ timeout: 5_000 });
  expect(read(SCHEDULER_NAME, Jobs, 'interval')).toBe('b');
});

/** As versions 1 and 2 of the cron package declare theirs. */
class OldCronJob {
  running: boolean | undefined;
  calls = 0;
  // oxlint-disable-next-line typescript/no-unsafe-function-type
  fireOnTick: Function = () => {
    this.calls++;
    throw new Error('told, not thrown');
  };
  start(): void {
    this.running = true;
  }
  stop(): void {
    this.running = false;
  }
}

test('the registry takes a CronJob of an old cron package', async () => {
  const registry = new door.SchedulerRegistry();
  const job = new OldCronJob();
  registry.addCronJob('old', job);
  void registry.getCronJob('old').start();
  await registry.getCronJob('old').fireOnTick();
  registry.deleteCronJob('old');
  expect([job.calls, job.running]).toEqual([1, false]);
});
