import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  JobHandler,
  MemoryStorage,
  OnJobEvent,
  SchedulerService,
  type ChronisEventMap,
  type ChronisOptions,
  type EventOrigin,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

type Heard = { jobId: string; error: unknown; nominalAt: Date; instance: string; remote: boolean };

/** What `@OnJobEvent` with `remote: true` hears, and without. */
class Ears {
  readonly all: Heard[] = [];
  readonly own: string[] = [];
}

describe.each(['memory', 'postgres'] as const)('two instances on %s that share events', (kind) => {
  const schema = freshSchema('shared_events');
  const memory = new MemoryStorage();
  const closes: (() => Promise<void>)[] = [];
  const client = new pg.Client(databaseUrl());

  beforeAll(() => client.connect());
  afterEach(async () => {
    for (const close of closes.splice(0)) await close();
  });
  afterAll(async () => {
    await client.query(`drop schema if exists "${schema}" cascade`);
    await client.end();
  });

  async function boot(name: string, options: ChronisOptions) {
    const storage = kind === 'memory' ? memory.open() : typeOrmStorage({ url: databaseUrl(), schema });
    const ears = new Ears();

    @Injectable()
    class Listener {
      @OnJobEvent('failed', { remote: true, jobId: 'job' })
      all({ jobId, error, nominalAt }: ChronisEventMap['run.failed'], origin: EventOrigin): void {
        ears.all.push({ jobId, error, nominalAt, instance: origin.instance, remote: origin.remote });
      }

      @OnJobEvent('failed')
      own(_: object, { instance }: EventOrigin): void {
        ears.own.push(instance);
      }

      @JobHandler('fail')
      fail(): void {
        throw new RangeError('no');
      }
    }

    @Module({
      imports: [ChronisModule.forRoot({ storage, name, shareEvents: true, ...options })],
      providers: [Listener],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    closes.push(() => app.close());
    return { ears, events: app.get(ChronisEvents), scheduler: app.get(SchedulerService) };
  }

  test('hear of each other only where they ask for it', async () => {
    const runner = await boot('runner', {});
    const watcher = await boot('watcher', { autoStart: false, shareEvents: [] });
    const stream = watcher.events.stream(['failed', 'started'], { remote: true });
    await runner.scheduler.createDateJob({ id: 'job', handler: 'fail', runAt: new Date() });
    const names: string[] = [];
    for await (const { name, remote, instance, event } of stream) {
      expect({ remote, instance, jobId: event.jobId }).toEqual({
        remote: true,
        instance: 'runner',
        jobId: 'job',
      });
      names.push(name);
      if (name === 'run.failed') break;
    }
    expect(names).toEqual(['run.started', 'run.failed']);
    const [heard] = watcher.ears.all;
    expect(heard).toMatchObject({ jobId: 'job', instance: 'runner', remote: true });
    expect(heard.error).toMatchObject({ name: 'RangeError', message: 'no' });
    expect(heard.nominalAt).toBeInstanceOf(Date);
    expect(watcher.ears.own).toEqual([]);
    expect(runner.ears.all).toMatchObject([{ jobId: 'job', instance: 'runner', remote: false }]);
    expect(runner.ears.own).toEqual(['runner']);
  });
});

test('a storage that cannot carry events is refused at boot', async () => {
  const schema = freshSchema('mute');
  const storage = typeOrmStorage({ url: databaseUrl(), schema, notify: false });
  @Module({ imports: [ChronisModule.forRoot({ storage, shareEvents: true })] })
  class AppModule {}
  const booting = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  await expect(booting).rejects.toThrow('shareEvents: the storage "postgres" cannot carry events');
  const client = new pg.Client(databaseUrl());
  await client.connect();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});
