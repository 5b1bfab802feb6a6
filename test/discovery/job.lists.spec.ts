import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  JobDeclarations,
  MemoryStorage,
  type ChronisModuleOptions,
  type JobList,
  type ListDeclaration,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

type Entry = Readonly<Record<string, unknown>>;

/** A list that is in memory, of one process. */
@Injectable()
class Notes implements JobList {
  static content: Readonly<Record<string, Entry[]>> | null = {};
  static unclear: string[] = [];
  name = 'notes';
  declaration: ListDeclaration;
  failures: string[] = [];

  constructor(declarations: JobDeclarations) {
    this.declaration = declarations.list(this);
  }

  begin(): Promise<void> {
    return this.look();
  }

  end(): void {
    ended++;
  }

  warnings(): string[] {
    return this.failures;
  }

  async look(): Promise<void> {
    if (Notes.content === null) return;
    const jobs = [];
    for (const [part, entries] of Object.entries(Notes.content)) {
      for (const entry of entries) {
        try {
          jobs.push(await this.declaration.read(entry, part, `${part}: "${String(entry.id)}"`));
        } catch (error) {
          this.failures.push((error as Error).message);
        }
      }
    }
    this.declaration.declare(jobs, Notes.unclear);
  }
}

const minute = 60_000;
let clock: ManualClock;
let storage: MemoryStorage;
let ran: string[];
let ended: number;
const live: NestApp[] = [];

beforeEach(() => {
  clock = new ManualClock();
  storage = new MemoryStorage({ clock });
  ran = [];
  ended = 0;
  Notes.content = {};
  Notes.unclear = [];
});

afterEach(async () => {
  for (const app of live.splice(0)) await app.close();
});

async function start(
  content: Readonly<Record<string, Entry[]>> | null,
  given: { providers?: any[]; chronis?: ChronisModuleOptions } = {},
): Promise<NestApp> {
  Notes.content = content;
  const { providers = [], chronis = {} } = given;
  const app = await NestApp.boot({
    providers: [Notes, ...providers],
    clock,
    storage,
    chronis: { autoStart: false, ...chronis },
  });
  live.push(app);
  app.scheduler.registerHandler('say', ({ payload }) => void ran.push(String(payload)));
  await app.passUntil(app.scheduler.start());
  return app;
}

async function change(app: NestApp, content: Readonly<Record<string, Entry[]>>): Promise<void> {
  Notes.content = content;
  await app.app.get(Notes).look();
  await app.settle();
}

async function stop(app: NestApp): Promise<void> {
  live.splice(live.indexOf(app), 1);
  await app.close();
}

async function during(ms: number): Promise<string[]> {
  ran.length = 0;
  await clock.advanceBy(ms);
  return [...ran];
}

const say = (id: string, given: Entry = {}): Entry => ({
  id,
  handler: 'say',
  payload: id,
  every: '1m',
  ...given,
});

describe('a list of jobs', () => {
  test('declares many jobs of one handler, which run beside each other', async () => {
    await start({ a: [say('one'), say('two')], b: [say('three')] });
    expect((await during(minute)).toSorted()).toEqual(['one', 'three', 'two']);
  });

  test('is followed while the process runs: what is new runs, what is changed runs otherwise, what is gone does not', async () => {
    const app = await start({ a: [say('one'), say('two')] });
    await during(minute);
    await change(app, { a: [say('one', { every: '20s' })], b: [say('three')] });
    expect((await during(minute)).toSorted()).toEqual(['one', 'one', 'one', 'three']);
    expect((await app.scheduler.getJob('two'))!.state).toBe('orphaned');
    await change(app, {});
    expect(await during(10 * minute)).toEqual([]);
  });

  test('what comes back goes on from then: what fell due meanwhile is on record as missed', async () => {
    const app = await start({ a: [say('one')] });
    await during(minute);
    await change(app, {});
    await during(5 * minute);
    await change(app, { a: [say('one')] });
    expect(await during(30_000)).toEqual([]);
    expect(await during(30_000)).toEqual(['one']);
    const { items } = await app.scheduler.getGaps({ jobId: 'one' });
    expect(items).toMatchObject([{ verdict: 'missed', count: 5 }]);
  });

  test('what comes back as another definition goes on from then, too', async () => {
    const app = await start({ a: [say('one')] });
    await during(minute);
    await change(app, {});
    await during(5 * minute);
    await change(app, { a: [say('one', { payload: 'new' })] });
    expect(await during(minute)).toEqual(['new']);
  });

  test('what went while no process ran does not fire again', async () => {
    await stop(await start({ a: [say('one')], b: [say('two')] }));
    await start({ b: [say('two')] });
    expect(await during(minute)).toEqual(['two']);
  });

  test('also where the same list was there a while ago', async () => {
    const app = await start({ a: [say('one')] });
    await change(app, { a: [say('one')], b: [say('two')] });
    await stop(app);
    await start({ a: [say('one')] });
    expect(await during(minute)).toEqual(['one']);
  });

  test('that is empty has no jobs', async () => {
    await stop(await start({ a: [say('one')] }));
    await start({});
    expect(await during(minute)).toEqual([]);
  });

  test('that cannot be read yet deletes nothing', async () => {
    await stop(await start({ a: [say('one')] }));
    const app = await start(null);
    expect(await during(minute)).toEqual(['one']);
    await change(app, {});
    expect(await during(minute)).toEqual([]);
  });

  test('leaves alone what is stored of a part that is unclear', async () => {
    await stop(await start({ a: [say('one')], b: [say('two')] }));
    Notes.unclear = ['b'];
    await start({});
    expect(await during(minute)).toEqual(['two']);
  });

  test('says nothing about the jobs of another process with other handlers of this name', async () => {
    const first = await start({ a: [say('one')] });
    // As a role that has no list.
    const second = await NestApp.boot({ clock, storage });
    live.push(second);
    await during(minute);
    await stop(first);
    expect((await second.scheduler.getJob('one'))!.state).not.toBe('orphaned');
  });

  test('a one-off runs once: not after a restart, nor when something else about it changes, but at a changed time', async () => {
    const at = (seconds: number): string => new Date(clock.now() + seconds * 1_000).toISOString();
    const once = { id: 'once', handler: 'say', payload: 'once', at: at(10) };
    const app = await start({ a: [once] });
    expect(await during(20_000)).toEqual(['once']);
    await change(app, { a: [{ ...once, name: 'Once' }] });
    expect(await during(minute)).toEqual([]);
    await change(app, {});
    await change(app, { b: [once] });
    await stop(app);
    const second = await start({ b: [once] });
    expect(await during(minute)).toEqual([]);
    await change(second, { b: [{ ...once, at: at(5) }] });
    expect(await during(minute)).toEqual(['once']);
  });
});

describe('replicas with a list', () => {
  test('do not set a job to and fro: what appeared last holds', async () => {
    const first = await start({ a: [say('one', { payload: 'old' })] });
    const second = await start({ a: [say('one', { payload: 'new' })] });
    for (let i = 0; i < 5; i++) {
      Notes.content = { a: [say('one', { payload: 'old' })] };
      await first.app.get(Notes).look();
      await first.settle();
      expect(await during(minute)).toEqual(['new']);
    }
    await stop(second);
    await during(30_000);
    expect(await during(minute)).toEqual(['old']);
  });

  test('keep a job until the last of them sees that it is gone', async () => {
    const first = await start({ a: [say('one')] });
    const second = await start({ a: [say('one')] });
    await change(first, {});
    expect(await during(minute)).toEqual(['one']);
    await change(second, {});
    expect(await during(minute)).toEqual([]);
  });

  test('adopt what was taken back, once all have it', async () => {
    const [old, other] = [{ a: [say('one', { payload: 'old' })] }, { a: [say('one', { payload: 'new' })] }];
    const first = await start(old);
    const second = await start(old);
    for (const app of [first, second]) await change(app, other);
    expect(await during(minute)).toEqual(['new']);
    for (const app of [first, second]) await change(app, old);
    expect(await during(minute)).toEqual(['old']);
  });
});

describe('what is wrong with a list', () => {
  test('an id that was taken at run time does not stand in the way of the start, and is told', async () => {
    const app = await start({});
    await app.scheduler.schedule('say', { id: 'one', every: '1h', payload: 'mine' });
    await stop(app);
    const second = await start({ a: [say('one'), say('two')] });
    await second.settle();
    expect(second.heard('jobs.synced').at(-1)).toMatchObject({ taken: [{ id: 'one' }] });
    expect(await during(minute)).toEqual(['two']);
    await second.scheduler.deleteJob('one');
    await change(second, { a: [say('one'), say('two')], b: [say('three')] });
    expect((await during(minute)).toSorted()).toEqual(['one', 'three', 'two']);
  });

  test('ids that the code declares, unknown handlers and options are refused by name, and told by health()', async () => {
    class Code {
      @Cron('0 * * * *', { id: 'hourly' })
      run(): void {}
    }
    const app = await start(
      {
        a: [
          say('hourly'),
          say('two', { handler: 'sya' }),
          say('three', { evry: '1m' }),
          say('four', { in: 5 }),
        ],
      },
      { providers: [Code] },
    );
    const { warnings } = await app.passUntil(app.scheduler.health());
    expect(warnings).toEqual([
      expect.stringContaining('Code.run'),
      expect.stringMatching(/^a: "two": .*sya.*"say"/),
      expect.stringMatching(/^a: "three": .*evry.*"every"/),
      expect.stringMatching(/^a: "four": .*in: .*Give the time: "at"/),
    ]);
  });

  test('is named once in a process, and ended with it', async () => {
    const app = await start({});
    const declarations = app.app.get(JobDeclarations);
    expect(() => declarations.list(app.app.get(Notes))).toThrow('running');
    await stop(app);
    expect(ended).toBeGreaterThan(0);
    expect(() => declarations.list(app.app.get(Notes))).toThrow('two lists of jobs are called "notes"');
  });
});
