import { Injectable, type Type } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import { At, Cron, Interval, type ChronisModuleOptions } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

/** A class of this name, whose methods have these decorators. */
function named(className: string, methods: Record<string, MethodDecorator>): Type {
  const made = { [className]: class {} }[className]!;
  for (const [method, decorate] of Object.entries(methods)) {
    Object.defineProperty(made.prototype, method, { value: () => undefined, configurable: true });
    decorate(made.prototype as object, method, Object.getOwnPropertyDescriptor(made.prototype, method)!);
  }
  Injectable()(made);
  return made;
}

describe('a method that was renamed, and whose job has no id', () => {
  const running: NestApp[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });

  async function deploy(
    providers: Type[],
    on?: NestApp,
    chronis: ChronisModuleOptions = {},
  ): Promise<NestApp> {
    const app = await NestApp.boot({ providers, chronis, storage: on?.storage, clock: on?.clock });
    running.push(app);
    return app;
  }
  async function stop(app: NestApp): Promise<void> {
    running.splice(running.indexOf(app), 1);
    await app.close();
  }
  const told = (app: NestApp): string[] =>
    app
      .heard('renames.unsaid')
      .flatMap(({ renames }) => renames.map(({ id, previousId }) => `${previousId} → ${id}`));

  const nightly = Cron('0 9 * * *', { timeZone: 'Asia/Seoul' });
  const old = named('Reports', { daily: nightly, poll: Interval('1m') });

  test('is told by the start that stores it anew, with the job that it had', async () => {
    const first = await deploy([old]);
    expect(told(first)).toEqual([]);
    await first.clock.advanceBy(300_000);
    await stop(first);
    const renamed = named('ReportService', { daily: nightly, poll: Interval('1m') });
    const second = await deploy([renamed], first);
    expect(second.heard('renames.unsaid')).toEqual([
      {
        app: 'default',
        renames: [
          { namespace: 'default', id: 'ReportService.daily', previousId: 'Reports.daily' },
          { namespace: 'default', id: 'ReportService.poll', previousId: 'Reports.poll' },
        ],
      },
    ]);
    const third = await deploy([renamed], first);
    expect(told(third)).toEqual([]);
  });

  test('goes on with the old job when it is given the id of that', async () => {
    const first = await deploy([named('Reports', { poll: Interval('1m') })]);
    await first.clock.advanceBy(180_000);
    await stop(first);
    const second = await deploy([named('ReportService', { poll: Interval('1m') })], first);
    expect(told(second)).toEqual(['Reports.poll → ReportService.poll']);
    await stop(second);
    const third = await deploy(
      [named('ReportService', { poll: Interval('1m', { id: 'Reports.poll' }) })],
      first,
    );
    await third.clock.advanceBy(120_000);
    expect(third.heard('run.succeeded').map(({ jobId }) => jobId)).toEqual(['Reports.poll', 'Reports.poll']);
    expect(await third.scheduler.getJob('Reports.poll')).toMatchObject({ runCount: 5 });
  });

  test('is told also where old instances live, which run it as well', async () => {
    const first = await deploy([old]);
    const second = await deploy([named('Reports', { everyDay: nightly, poll: Interval('1m') })], first);
    expect(told(second)).toEqual(['Reports.daily → Reports.everyDay']);
  });

  test('is told of a single instant, and of a schedule that was changed at run time', async () => {
    const once = At('2027-01-01 09:00:00');
    const first = await deploy([named('Jobs', { once, daily: nightly })]);
    await first.scheduler.updateJob('Jobs.daily', { cron: '0 10 * * *' });
    await stop(first);
    const second = await deploy([named('Tasks', { once, daily: nightly })], first);
    expect(told(second)).toEqual(['Jobs.once → Tasks.once', 'Jobs.daily → Tasks.daily']);
  });

  test('is told by the first worker where a process that runs no jobs has stored it', async () => {
    const first = await deploy([old]);
    await stop(first);
    const renamed = named('Reporting', { daily: nightly });
    await deploy([renamed], first, { autoStart: false });
    expect(told(await deploy([renamed], first))).toEqual(['Reports.daily → Reporting.daily']);
  });

  test.each<[string, Type, Type]>([
    ['that has another schedule', old, named('Reporting', { daily: Cron('0 8 * * *') })],
    ['that has another zone', old, named('Reporting', { daily: Cron('0 9 * * *') })],
    ['of which neither class nor method are the same', old, named('Mails', { send: nightly })],
    [
      'that has an id now',
      old,
      named('Reporting', { daily: Cron('0 9 * * *', { timeZone: 'Asia/Seoul', id: 'x' }) }),
    ],
    [
      'that had an id',
      named('Reports', { daily: Cron('0 9 * * *', { timeZone: 'Asia/Seoul', id: 'x' }) }),
      named('Reporting', { daily: nightly }),
    ],
    [
      'that says so itself',
      old,
      named('Reporting', {
        daily: Cron('0 9 * * *', { timeZone: 'Asia/Seoul', previousIds: ['Reports.daily'] }),
      }),
    ],
    ['that is there beside it', old, named('Reports', { daily: nightly, again: nightly })],
    [
      'that may be one or the other',
      named('Reports', { one: nightly, other: nightly }),
      named('Reports', { third: nightly }),
    ],
  ])('is not meant by one %s', async (_, before, after) => {
    const first = await deploy([before]);
    await stop(first);
    expect(told(await deploy([after], first))).toEqual([]);
  });
});
