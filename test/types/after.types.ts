// Never run: the type check fails when a line marked as an error compiles, or when another does not.
import type { SchedulerService } from '../../lib/index.js';

export async function waits(scheduler: SchedulerService): Promise<string[] | null> {
  await scheduler.createMany([
    { id: 'a', handler: 'work', in: 0 },
    { id: 'b', handler: 'work', after: 'a', keep: '1d' },
    { id: 'c', handler: 'work', after: ['a', 'b'], need: 'any', otherwise: 'cancel', delay: { minutes: 5 } },
  ]);
  await scheduler.createJob({ handler: 'work', after: ['a'], need: 1 });
  await scheduler.createJob({ handler: 'work', trigger: { type: 'after', jobs: ['a'], otherwise: 'run' } });
  // @ts-expect-error A time of its own.
  await scheduler.schedule('work', { after: 'a', in: '5m' });
  // @ts-expect-error A schedule of its own.
  await scheduler.schedule('work', { after: 'a', cron: '0 9 * * *' });
  // @ts-expect-error It waits for nobody.
  await scheduler.schedule('work', { in: '5m', need: 'all' });
  // @ts-expect-error There is no such word.
  await scheduler.schedule('work', { after: 'a', otherwise: 'skip' });
  // @ts-expect-error Of what recurs.
  await scheduler.schedule('work', { after: 'a', overlap: 'queue' });
  // @ts-expect-error It is said when a job is created.
  await scheduler.updateJob('c', { after: ['a'] });
  const job = await scheduler.schedule('work', { after: 'a' });
  return job.waitsFor;
}
