import { Injectable } from '@nestjs/common';
import { afterEach, expect, test } from 'vitest';
import {
  Interval,
  JobDeclarations,
  MemoryLock,
  MemoryStorage,
  type JobDeclaration,
} from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

let app: NestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

/** Declares in `onModuleInit`. */
function declarer(declared: Partial<JobDeclaration>[]): new (...parts: never[]) => object {
  @Injectable()
  class Declarer {
    constructor(private readonly declarations: JobDeclarations) {}
    onModuleInit(): void {
      for (const declaration of declared) {
        const trigger = { type: 'interval', every: '10s' } as const;
        const defaults = { id: 'declared', trigger, place: 'Declarer.run', run: () => 'done' };
        this.declarations.declare({ ...defaults, ...declaration });
      }
    }
    @Interval('1h', { id: 'decorated' })
    decorated(): void {}
  }
  Reflect.defineMetadata('design:paramtypes', [JobDeclarations], Declarer);
  return Declarer;
}

/** What is thrown stands in the way of the boot. */
async function bootWith(...declared: Partial<JobDeclaration>[]): Promise<NestApp> {
  return (app = await NestApp.boot({ providers: [declarer(declared)] }));
}

test('a declared job is synced like a decorated one, and runs', async () => {
  const { scheduler, clock } = await bootWith({ metadata: { of: 'test' }, overlap: 'allow' });
  expect(await scheduler.getJob('declared')).toMatchObject({
    ...{ source: 'code', app: 'default', handler: 'declared', metadata: { of: 'test' } },
    ...{ trigger: { type: 'interval', every: 10_000 }, policies: { overlap: 'allow' } },
  });
  await clock.advanceBy(10_000);
  const { items } = await scheduler.getAttempts({ jobId: 'declared' });
  expect(items).toMatchObject([{ outcome: 'succeeded', result: 'done' }]);
});

test('an id is declared once, by whatever means', async () => {
  await expect(bootWith({}, { place: 'Other.run' })).rejects.toThrow(
    'Two methods declare the job "declared": Declarer.run and Other.run.',
  );
  await expect(bootWith({ id: 'decorated' })).rejects.toThrow(
    'Two methods declare the job "decorated": Declarer.decorated and Declarer.run.',
  );
});

test('bad options are refused', async () => {
  await expect(bootWith({ id: '' })).rejects.toThrow('The job id is empty');
  await expect(bootWith({ trigger: { type: 'interval', every: 0 } })).rejects.toThrow(/every/);
  await expect(bootWith({ overlaps: 'skip' } as never)).rejects.toThrow('declare() has no such option');
});

test('it is too late when the scheduler runs', async () => {
  const { app: nest } = await bootWith({});
  const late = { id: 'late', trigger: { type: 'manual' }, place: 'late', run: () => undefined } as const;
  expect(() => nest.get(JobDeclarations).declare(late)).toThrow('The scheduler is running already');
});

test('what is declared in `onModuleInit` counts among what was found, though that comes after the hooks of the scheduler', async () => {
  const booted = await bootWith({});
  expect(booted.heard('jobs.explored')).toEqual([
    expect.objectContaining({ jobs: 2, handlers: ['Declarer.decorated', 'declared'], repeated: [] }),
  ]);
});

test('a job that is named after a minified class is told, and one with a name of its own is not', async () => {
  const clock = new ManualClock();
  const storage = Object.assign(new MemoryStorage({ clock }), { shared: true });
  const lock = Object.assign(new MemoryLock({ clock }), { shared: true });
  const declared = [
    { id: 'e.run', place: 'e.run' },
    { id: 'named', place: 'e.named' },
    { id: 'Reports.run', place: 'Reports.run' },
  ];
  app = await NestApp.boot({ clock, providers: [declarer(declared)], chronis: { storage, lock } });
  expect(app.heard('names.minified')).toEqual([{ methods: ['e.run'] }]);
});
