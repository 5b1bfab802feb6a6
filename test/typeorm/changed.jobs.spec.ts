import { expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { JobLists } from '../../lib/discovery/job.lists.js';
import { JobSynchronizer } from '../../lib/discovery/job.synchronizer.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { StorageAdapter } from '../../lib/index.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob } from '../../lib/scheduler/job.definition.js';
import { registrationOf } from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

let storage: StorageAdapter;
storageForEachTest('changed', (fresh) => ({ storage } = fresh));

test('each job that is changed at run time is told once, and not again while nothing changes', async () => {
  const clock = new ManualClock();
  const events = new ChronisEvents();
  const told: (readonly string[])[] = [];
  events.on('jobs.synced', ({ changedAtRunTime }) => told.push(changedAtRunTime.map(({ id }) => id)));
  let workerId = '';
  const start = async (id: string, hours: string): Promise<JobSynchronizer> => {
    workerId = id;
    // Stored in this order, which is not that of their ids.
    const jobs = ['z', 'a'].map((job): DeclaredJob => {
      const trigger = { type: 'cron', expression: `0 ${hours} * * *` } as const;
      const definition = defineJob(
        { id: job, handler: job, trigger, options: {} },
        { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} },
        0,
      );
      return { definition, hash: definitionHash(definition), previousIds: [], place: job };
    });
    const synchronizer = new JobSynchronizer(
      {
        ...{ storage, lock: storage.lock, clock, events },
        random: () => 0,
        lists: new JobLists(),
        explore: () => ({
          jobs,
          handlers: [],
          workflows: [],
          repeated: [],
          unapplied: [],
          unmarked: [],
          minified: [],
        }),
        workerId: () => workerId,
        onChange: () => undefined,
      },
      {
        app: 'shop',
        previousApps: [],
        orphans: 'keep',
        orphanGraceMs: 600_000,
        calendars: {},
        lists: new JobLists(),
      },
    );
    await synchronizer.enroll(registrationOf({ id, app: 'shop' }), 60_000);
    return synchronizer;
  };
  await (await start('first', '1')).end();
  const by = { at: Date.now(), by: 'ada' };
  for (const id of ['z', 'a']) {
    const payload = { declared: null, ...by };
    await storage.updateJob({ namespace: 'default', id }, { payload: 'changed', changed: { payload } });
  }
  told.length = 0;
  const second = await start('second', '2');
  expect(told).toEqual([['a', 'z']]);
  second.follow();
  await clock.advanceBy(1_000);
  await second.end();
  expect(told).toEqual([['a', 'z']]);
});
