import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logSentences } from '../../lib/events/log.sentences.js';
import { Cron, Interval, type RunContext } from '../../lib/index.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { MemoryJournal } from '../support/memory.journal.js';
import { NestApp } from '../support/nest.app.js';

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;

const ran: string[] = [];

@Injectable()
class Jobs {
  @Cron('* * * * *', { id: 'minutely' })
  minutely(): void {
    ran.push('minutely');
  }
  @Interval('10s', { id: 'often' })
  often(): void {
    ran.push('often');
  }
  @Interval('1h', { id: 'delayed', mode: 'fixed-delay' })
  delayed(): void {
    ran.push('delayed');
  }
  @Cron('0 0 1 1 *', { id: 'yearly' })
  yearly(): void {}
}

/** Its storage goes by the clock of the machine, as one in a file does. */
describe('the clock of the machine was 30 days ahead, and is set right', () => {
  let clock: ManualClock;
  let journal: MemoryJournal;
  let app: NestApp;

  beforeEach(async () => {
    clock = new ManualClock();
    journal = new MemoryJournal();
    await boot();
    await clock.advanceBy(61 * minute);
    clock.jumpWall(30 * day);
    // Between two instants: what starts at one may be told a little later.
    await clock.advanceBy(65 * minute + 5 * second);
    ran.length = 0;
    clock.jumpWall(-30 * day);
  });

  afterEach(() => app.close());

  async function boot(): Promise<void> {
    const storage = JournaledStorage.on('file', 'jobs', journal, { clock });
    app = await NestApp.boot({ providers: [Jobs], clock, chronis: { storage } });
  }

  /** Of the whole minute that is so far off. */
  async function causeIn(inMs: number, id = 'minutely'): Promise<string> {
    const at = new Date(Math.floor((clock.now() + inMs) / minute) * minute);
    return (await app.scheduler.explain(id, at)).cause;
  }

  const ahead = (): string[] => app.heard('schedules.ahead').flatMap(({ jobs }) => jobs.map(({ id }) => id));
  const standing = ['delayed', 'minutely', 'often'];

  test('schedules that have fired stand still: the log, the health and each instant say so', async () => {
    await clock.advanceBy(10 * minute);
    expect(ran).toEqual([]);
    expect(app.heard('clock.leapt').map(({ state }) => state)).toEqual(['followed', 'followed']);
    expect(ahead()).toEqual(standing);
    const { text } = logSentences['schedules.ahead']!(app.heard('schedules.ahead')[0]!)!;
    expect(text).toMatch(
      /^Jobs have fired by a clock that was ahead, and stand still.*"minutely" until .*resume them/,
    );
    const { healthy, reasons } = await app.scheduler.health();
    expect(healthy).toBe(true);
    const sentence = expect.stringMatching(/^Jobs have fired by a clock that was ahead.*"minutely" until /);
    expect(reasons).toEqual([{ code: 'doctor.schedules-ahead', severity: 'warning', sentence }]);
    expect(await causeIn(2 * minute)).toBe('clock-was-ahead');
    // The leap has put it on record.
    expect(await causeIn(-2 * minute)).toBe('misfire');
  });

  test('one that was created meanwhile says so too, of what is past and of what is to come', async () => {
    clock.jumpWall(30 * day);
    await clock.advanceBy(minute);
    await app.scheduler.upsert({ id: 'made', handler: 'Jobs.minutely', cron: '* * * * *' });
    await clock.advanceBy(2 * minute);
    clock.jumpWall(-30 * day);
    await clock.advanceBy(2 * minute);
    expect(ahead()).toContain('made');
    for (const inMs of [-minute, 2 * minute]) expect(await causeIn(inMs, 'made')).toBe('clock-was-ahead');
  });

  test('a restart says so as well', async () => {
    await app.close();
    await boot();
    await clock.advanceBy(2 * minute);
    expect(ran).toEqual([]);
    expect(ahead()).toEqual(standing);
  });

  test.each(['one by one', 'all'])(
    'resumed from now on, %s, they go on, also over a restart',
    async (how) => {
      const { scheduler } = app;
      if (how === 'all') {
        await clock.advanceBy(minute);
        await scheduler.pauseMany({}, { all: true });
        await scheduler.resumeMany({}, { all: true, fromNow: true });
      } else {
        for (const id of [...standing, 'yearly']) {
          await scheduler.pauseJob(id);
          await scheduler.resumeJob(id);
        }
        await clock.advanceBy(2 * minute);
        expect(ran).toEqual([]);
        for (const id of [...standing, 'yearly']) {
          await scheduler.pauseJob(id);
          await scheduler.resumeJob(id, { fromNow: true });
        }
      }
      // The second is under way at its instant.
      await clock.advanceBy(2 * minute + second);
      expect(ran.filter((id) => id === 'minutely')).toHaveLength(2);
      expect(ran.filter((id) => id === 'often').length).toBeGreaterThan(10);
      expect((await scheduler.health()).warnings).toEqual([]);
      await app.close();
      await boot();
      ran.length = 0;
      await clock.advanceBy(61 * minute);
      expect(ran.filter((id) => id === 'minutely').length).toBeGreaterThan(59);
      expect(ran).toContain('delayed');
      expect(ahead()).toEqual([]);
    },
  );
});

describe('an interval that was created by a clock that was 30 days ahead', () => {
  @Injectable()
  class Born {
    @Interval('10s', { id: 'tens' })
    tens(): void {
      ran.push('tens');
    }
    @Interval('10s', { id: 'pauses', mode: 'fixed-delay' })
    pauses(): void {
      ran.push('pauses');
    }
    @Interval('10s', { id: 'later', startAt: '2050-01-01' })
    later(): void {
      ran.push('later');
    }
  }

  test.each([
    ['fired', 'one by one'],
    ['not fired', 'all'],
  ])('and has %s goes on, resumed from now on, %s, also over a restart', async (fired, how) => {
    const clock = new ManualClock();
    const journal = new MemoryJournal();
    const boot = (): Promise<NestApp> => {
      const storage = JournaledStorage.on('file', 'jobs', journal, { clock });
      return NestApp.boot({ providers: [Born], clock, chronis: { storage } });
    };
    clock.jumpWall(30 * day);
    let app = await boot();
    // No run is under way then.
    if (fired === 'fired') await clock.advanceBy(2 * minute + 5 * second);
    await app.settle();
    clock.jumpWall(-30 * day);
    await app.close();
    app = await boot();
    ran.length = 0;
    await clock.advanceBy(2 * minute);
    expect(ran).toEqual([]);
    expect(app.heard('schedules.ahead').flatMap(({ jobs }) => jobs.map(({ id }) => id))).toEqual([
      'pauses',
      'tens',
    ]);
    const { scheduler } = app;
    if (how === 'all') {
      await scheduler.pauseMany({}, { all: true });
      await scheduler.resumeMany({}, { all: true, fromNow: true });
    } else {
      for (const id of ['tens', 'pauses', 'later']) {
        await scheduler.pauseJob(id);
        await scheduler.resumeJob(id, { fromNow: true });
      }
    }
    await clock.advanceBy(minute + second);
    expect(ran.filter((id) => id === 'tens')).toHaveLength(6);
    expect(ran.filter((id) => id === 'pauses').length).toBeGreaterThan(3);
    expect((await scheduler.health()).warnings).toEqual([]);
    await app.close();
    app = await boot();
    ran.length = 0;
    await clock.advanceBy(minute);
    expect(ran.filter((id) => id === 'tens').length).toBeGreaterThan(4);
    expect(ran).toContain('pauses');
    expect(ran).not.toContain('later');
    expect(app.heard('schedules.ahead')).toEqual([]);
    await app.close();
  });
});

describe('an interval by days of a calendar that was created by a clock that was 30 days ahead', () => {
  const hour = 60 * minute;

  @Injectable()
  class Daily {
    @Interval('1d', { id: 'daily', timeZone: 'Europe/Berlin', calendar: true })
    daily({ nominalAt }: RunContext): void {
      ran.push(nominalAt.toISOString());
    }
  }

  test('is told, and resumed from now on it goes on at its wall time, whatever the clocks do', async () => {
    // The clocks go forward in the night to the 29th.
    const clock = new ManualClock('2026-03-28T12:10:00Z');
    const journal = new MemoryJournal();
    const boot = (): Promise<NestApp> => {
      const storage = JournaledStorage.on('file', 'jobs', journal, { clock });
      return NestApp.boot({ providers: [Daily], clock, chronis: { storage, pollMs: minute } });
    };
    clock.jumpWall(30 * day);
    let app = await boot();
    clock.jumpWall(-30 * day);
    await app.close();
    app = await boot();
    ran.length = 0;
    await clock.advanceBy(2 * minute);
    expect(app.heard('schedules.ahead').flatMap(({ jobs }) => jobs.map(({ id }) => id))).toEqual(['daily']);
    const today = new Date('2026-03-28T13:10:00Z');
    expect((await app.scheduler.explain('daily', today)).cause).toBe('clock-was-ahead');
    await app.scheduler.pauseJob('daily');
    await app.scheduler.resumeJob('daily', { fromNow: true });
    expect((await app.scheduler.health()).warnings).toEqual([]);
    await app.close();
    app = await boot();
    await clock.advanceBy(26 * hour);
    // 14:10 in Berlin, by its winter time and by that of the summer.
    expect(ran).toEqual(['2026-03-28T13:10:00.000Z', '2026-03-29T12:10:00.000Z']);
    expect(app.heard('schedules.ahead')).toEqual([]);
    await app.close();
  });
});

test('a clock that was never ahead says nothing of it', async () => {
  const app = await NestApp.boot({ providers: [Jobs] });
  await app.clock.advanceBy(3 * minute);
  expect(app.heard('schedules.ahead')).toEqual([]);
  expect((await app.scheduler.health()).warnings).toEqual([]);
  await app.close();
});
