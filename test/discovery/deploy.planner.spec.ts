import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { logSentences } from '../../lib/events/log.sentences.js';
import {
  At,
  Cron,
  Interval,
  JobDeclarations,
  JobHandler,
  MemoryStorage,
  TaskExecutor,
  type ChronisModuleOptions,
  type DeployPlan,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { release } from '../support/release.js';

const hour = 3_600_000;
type Methods = Record<string, MethodDecorator[]>;

let clock: ManualClock;
let storage: MemoryStorage;
const open: NestApp[] = [];

beforeEach(() => {
  clock = new ManualClock();
  storage = new MemoryStorage({ clock });
});
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function start(methods: Methods, chronis: ChronisModuleOptions = {}): Promise<NestApp> {
  const app = await NestApp.boot({ providers: [release(methods)], chronis, clock, storage });
  open.push(app);
  return app;
}

async function plan(methods: Methods, chronis: ChronisModuleOptions = {}): Promise<DeployPlan> {
  const app = await start(methods, { ...chronis, autoStart: false, syncDeclarations: false });
  return app.passUntil(app.app.get(JobDeclarations).plan());
}

@TaskExecutor('draw')
class Draw {
  readonly schema = z.object({});

  execute(): void {}
}

const daily = { daily: [Cron('0 9 * * *', { id: 'daily' })] };

test('into an empty storage all is new, and nothing is written', async () => {
  const found = await plan({ ...daily, poll: [Interval('1h', { id: 'poll' })] });
  expect(found).toMatchObject({ isEmpty: false, changed: [], gone: [], unchanged: 0, taken: [] });
  expect(found.created.map(({ id, place, after }) => [id, place, after.next[0]])).toEqual([
    ['daily', 'Jobs.daily', new Date('2026-01-01T09:00:00Z')],
    ['poll', 'Jobs.poll', new Date('2026-01-01T01:00:00Z')],
  ]);
  expect(await storage.countJobs({})).toBe(0);
});

test('a release that is live is no hindrance: what it alone declares is told as gone, and that it is declared', async () => {
  await start({ ...daily, old: [Cron('0 1 * * *', { id: 'old' })] });
  const found = await plan(daily);
  expect(found).toMatchObject({
    created: [],
    changed: [],
    unchanged: 1,
    gone: [{ id: 'old', outcome: 'orphaned', isDeclared: true }],
  });
  expect(await plan(daily, { orphans: 'delete' })).toMatchObject({ gone: [{ outcome: 'deleted' }] });
});

test('what is changed at run time stays so, and is named', async () => {
  const app = await start(daily);
  await app.scheduler.updateJob('daily', { cron: '0 5 * * *' });
  const { changed } = await plan({ daily: [Cron('0 7 * * *', { id: 'daily', maxRetries: 3 })] });
  expect(changed).toMatchObject([
    { id: 'daily', kind: 'changed', isPaused: false, fields: ['maxRetries'], changedAtRunTime: ['trigger'] },
  ]);
  expect(changed[0]!.after).toEqual(changed[0]!.before);
});

test('a paused job has no next time, before and after', async () => {
  const app = await start(daily);
  await app.scheduler.pauseJob('daily');
  const { changed } = await plan({ daily: [Cron('0 7 * * *', { id: 'daily' })] });
  expect(changed).toMatchObject([{ isPaused: true, before: { next: [] }, after: { next: [] } }]);
});

test('a job that was orphaned fires again', async () => {
  const app = await start(daily);
  await app.close();
  open.length = 0;
  await clock.advanceBy(hour);
  await start({ other: [Cron('0 1 * * *', { id: 'other' })] });
  await storage.orphanUndeclared('default', 0);
  await storage.orphanUndeclared('default', 0);
  const jobs = await storage.queryJobs({ state: 'orphaned' }, {});
  expect(jobs.items.map(({ id }) => id)).toEqual(['daily']);
  const found = await plan(daily);
  expect(found.changed).toMatchObject([{ id: 'daily', kind: 'adopted', before: { next: [] } }]);
});

test('the clocks and the hottest minutes are told', async () => {
  await start({ a: [Cron('0 * * * *', { id: 'a' })], b: [Cron('0 * * * *', { id: 'b' })] });
  const found = await plan({
    a: [Cron('0 * * * *', { id: 'a' })],
    b: [Cron('7 * * * *', { id: 'b' })],
    night: [Cron('30 2 * * *', { id: 'night', timeZone: 'Europe/Berlin' })],
  });
  expect(found.hotMinutes.before).toMatchObject([{ runs: 2 }, { runs: 2 }, { runs: 2 }]);
  expect(found.hotMinutes.after).toEqual([]);
  expect(found.created[0]!.remarks.map(({ code, at }) => [code, at.toISOString()])).toEqual([
    ['dst-gap', '2026-03-29T01:00:00.000Z'],
    ['dst-overlap', '2026-10-25T00:30:00.000Z'],
  ]);
});

test('a time of @At that the clocks go over, or have twice, is told as for other jobs, and nothing of one with an offset', async () => {
  const timeZone = 'Europe/Berlin';
  const found = await plan({
    gap: [At('2027-03-28 02:30', { id: 'gap', timeZone })],
    named: [At('2027-03-28T02:30[Europe/Berlin]', { id: 'named' })],
    twice: [At('2026-10-25 02:30', { id: 'twice', timeZone })],
    plain: [At('2027-03-28 03:30', { id: 'plain', timeZone })],
    offset: [At('2027-03-28T01:30Z', { id: 'offset', timeZone })],
    date: [At(new Date('2027-03-28T01:30Z'), { id: 'date', timeZone })],
  });
  const gap = {
    at: new Date('2027-03-28T01:30:00Z'),
    code: 'dst-gap',
    text: '02:30 does not exist on 2027-03-28: the clocks go forward over it.',
  };
  const twice = {
    at: new Date('2026-10-25T00:30:00Z'),
    code: 'dst-overlap',
    text: '02:30 exists twice on 2026-10-25: this is the first time.',
  };
  const remarks = Object.fromEntries(found.created.map((job) => [job.id, job.remarks]));
  expect(remarks).toEqual({ gap: [gap], named: [gap], twice: [twice], plain: [], offset: [], date: [] });
});

test('a time of @At that is changed at run time has no remark of the one in the code', async () => {
  const at = (options: object): Methods => ({
    gap: [At('2027-03-28 02:30', { id: 'gap', timeZone: 'Europe/Berlin', ...options })],
  });
  const app = await start(at({}));
  await app.scheduler.updateJob('gap', { at: '2027-05-01T00:00Z' });
  const { changed } = await plan(at({ maxRetries: 3 }));
  expect(changed).toMatchObject([{ id: 'gap', remarks: [] }]);
});

describe('a release that lacks the handler of what is stored', () => {
  const hand = { hand: [JobHandler('hand')] };
  const renamed = { hand: [JobHandler('hand2')] };

  test('is told so, with how many jobs made at run time need it and one of them, and nothing where it has it', async () => {
    const app = await start(hand);
    await app.scheduler.createJob({ id: 'one', handler: 'hand', every: '1h' });
    await app.scheduler.createJob({ id: 'two', handler: 'hand', at: new Date(clock.now() + hour) });
    await app.scheduler.pauseJob('one');
    expect((await plan(hand)).lacks).toEqual([]);
    const found = await plan(renamed);
    expect(found).toMatchObject({ isEmpty: true, created: [], gone: [] });
    expect(found.lacks).toEqual([
      '2 jobs made at run time need the handler "hand", such as "one", which this release lacks.',
    ]);
    expect((await plan({ hand: [JobHandler('hand2', { previousNames: ['hand'] })] })).lacks).toEqual([]);
    expect((await plan(renamed, { app: 'other' })).lacks).toEqual([]);
  });

  test('is told of jobs whose type of task it lacks', async () => {
    const app = await NestApp.boot({ providers: [Draw], clock, storage });
    open.push(app);
    await app.scheduler.createJob({ id: 'plot', task: { type: 'draw' }, every: '1h' });
    expect((await plan({})).lacks).toEqual([
      '1 job made at run time needs tasks of the type "draw", such as "plot", which this release lacks.',
    ]);
  });

  test('says it at its start, once, when no live process has it', async () => {
    const first = await start(hand);
    await first.scheduler.createJob({ id: 'one', handler: 'hand', every: '1h' });
    const beside = await start(renamed);
    await clock.advanceBy(1_000);
    expect(beside.heard('handlers.unserved')).toEqual([]);
    for (const app of open.splice(0)) await app.close();
    const alone = await start(renamed);
    await clock.advanceBy(120_000);
    const [told, ...others] = alone.heard('handlers.unserved');
    expect(others).toEqual([]);
    expect(told).toEqual({
      app: 'default',
      handlers: [{ handler: 'hand', jobs: 1, example: { namespace: 'default', id: 'one' } }],
    });
    expect(logSentences['handlers.unserved']!(told!).text).toContain(
      '1 job made at run time needs the handler "hand", such as "one"',
    );
  });
});
