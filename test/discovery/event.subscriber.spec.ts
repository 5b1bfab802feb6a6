import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  InvalidOptionError,
  OnJobEvent,
  type ChronisEventMap,
  type ChronisOptions,
  type EventOrigin,
  type RunEvent,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

let heard: unknown[];

@Injectable()
class Base {
  @OnJobEvent('started')
  inherited(): void {
    heard.push('inherited');
  }
}

@Injectable()
class Listener extends Base {
  @OnJobEvent('failed', { handler: 'fail' })
  onFailed({ jobId, error }: ChronisEventMap['run.failed'], { name, remote }: EventOrigin): void {
    heard.push([name, jobId, (error as Error).message, remote]);
  }

  @OnJobEvent(['run.succeeded', 'failed'], { jobId: ['a', 'c'] })
  @OnJobEvent('job.*', { namespace: 'other' })
  onMany(event: object): void {
    heard.push(['many', (event as RunEvent).jobId ?? event]);
  }

  @OnJobEvent('runs.lifted')
  async throws(): Promise<void> {
    throw new Error('listener broken');
  }
}

describe('@OnJobEvent', () => {
  let app: NestApp;

  beforeEach(() => {
    heard = [];
  });
  afterEach(() => app?.close());

  async function boot(providers: unknown[], chronis: ChronisOptions = {}): Promise<void> {
    app = await NestApp.boot({ providers: providers as never, chronis });
    app.scheduler.registerHandler('succeed', () => undefined);
    app.scheduler.registerHandler('fail', () => {
      throw new Error('no');
    });
  }

  async function run(id: string, handler: string): Promise<void> {
    await app.scheduler.createDateJob({ id, handler, runAt: new Date(app.clock.now()) });
    await app.settle();
  }

  test('calls methods for what they name and meets their conditions, inherited ones included', async () => {
    await boot([Listener, { provide: 'again', useExisting: Listener }]);
    await run('a', 'succeed');
    await run('b', 'succeed');
    await run('c', 'fail');
    const orphan = { namespace: 'other', id: 'x' };
    app.app.get(ChronisEvents).emit('job.orphaned', orphan);
    app.app.get(ChronisEvents).emit('job.orphaned', { ...orphan, namespace: 'default' });
    expect(heard).toEqual([
      'inherited',
      ['many', 'a'],
      'inherited',
      'inherited',
      ['run.failed', 'c', 'no', false],
      ['many', 'c'],
      ['many', orphan],
    ]);
  });

  test('turns what a method rejects with into an event', async () => {
    await boot([Listener]);
    const failed = app.app.get(ChronisEvents).once('listener.failed');
    app.app.get(ChronisEvents).emit('runs.lifted', { runs: 1 });
    expect(await failed).toMatchObject({ eventName: 'runs.lifted', error: new Error('listener broken') });
  });

  test('makes request-scoped providers anew for each event, which is the request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      constructor(@Inject(REQUEST) private readonly request: RunEvent) {}

      @OnJobEvent('succeeded')
      onSuccess(event: RunEvent): void {
        heard.push([this.request === event, event.jobId]);
      }
    }
    await boot([Scoped]);
    await run('a', 'succeed');
    await run('b', 'succeed');
    expect(heard).toEqual([
      [true, 'a'],
      [true, 'b'],
    ]);
  });

  test('calls a class that two modules provide once', async () => {
    @Module({ providers: [Listener] })
    class Other {}
    app = await NestApp.boot({ imports: [Other], providers: [Listener] });
    app.scheduler.registerHandler('succeed', () => undefined);
    await run('a', 'succeed');
    expect(heard).toEqual(['inherited', ['many', 'a']]);
  });

  test('calls nobody any more when the application is closed, and ends the streams', async () => {
    await boot([Listener]);
    const events = app.app.get(ChronisEvents);
    const stream = events.stream('worker.stopped');
    await app.close();
    const names: string[] = [];
    for await (const { name } of stream) names.push(name);
    expect(names).toEqual(['worker.stopped']);
    heard = [];
    events.emit('job.orphaned', { namespace: 'other', id: 'x' });
    expect(heard).toEqual([]);
  });

  test('does not call for events of others, unless asked to', async () => {
    @Injectable()
    class Remote {
      @OnJobEvent('*')
      own(_: object, { instance }: EventOrigin): void {
        heard.push(['own', instance]);
      }

      @OnJobEvent('runs.lifted', { remote: true })
      all(_: object, { instance }: EventOrigin): void {
        heard.push(['all', instance]);
      }
    }
    await boot([Remote]);
    heard = [];
    app.app.get(ChronisEvents).receive({ runs: 1 }, { name: 'runs.lifted', at: new Date(), instance: 'two' });
    expect(heard).toEqual([['all', 'two']]);
  });

  const declare = (...given: Parameters<typeof OnJobEvent>): unknown => {
    @Injectable()
    class Wrong {
      @OnJobEvent(...given)
      method(): void {}
    }
    return Wrong;
  };

  test.each([
    [
      declare('run.exploded' as never),
      '@OnJobEvent on Wrong.method: events: there is no event "run.exploded"',
    ],
    [declare('failed', { handler: [] }), 'handler: must be a text, or a list of at least one.'],
    [declare('failed', { jobs: 'x' } as never), 'jobs: @OnJobEvent has no such option.'],
    [declare('job.paused', { queue: 'x' }), 'queue: the event "job.paused" has none.'],
    [declare(['failed', 'storage.failing'], { jobId: 'x' }), 'jobId: the event "storage.failing" has none.'],
    [declare('failed', { remote: 1 as never }), 'remote: must be true or false'],
  ])('refuses a mistake at boot: %#', async (provider, message) => {
    const booting = NestApp.boot({ providers: [provider as never] });
    await expect(booting).rejects.toThrow(InvalidOptionError);
    await expect(booting).rejects.toThrow(message);
  });

  test('refuses methods that do not take what the event is', () => {
    class Typed {
      // @ts-expect-error: an event about a run has no `runs`.
      @OnJobEvent('failed')
      wrong({ runs }: { runs: number }): void {
        heard.push(runs);
      }

      @OnJobEvent(['failed', 'timed_out'])
      right({ durationMs }: { durationMs: number }): void {
        heard.push(durationMs);
      }
    }
    expect(Typed).toBeDefined();
  });
});

describe('the option `on`', () => {
  test('hears events by short name, name and pattern; what it throws affects no run', async () => {
    heard = [];
    const app = await NestApp.boot({
      chronis: {
        on: {
          succeeded: ({ jobId }) => {
            heard.push(jobId);
            throw new Error('hook broken');
          },
          'jobs.explored': ({ jobs }) => heard.push(jobs),
          'worker.*': (_, { name }) => heard.push(name),
        },
      },
    });
    app.scheduler.registerHandler('succeed', () => undefined);
    await app.scheduler.createDateJob({ id: 'a', handler: 'succeed', in: '1s' });
    await app.clock.advanceBy(1_000);
    expect(app.heard('listener.failed')).toMatchObject([{ eventName: 'run.succeeded' }]);
    await app.close();
    expect(heard).toEqual([0, 'worker.started', 'a', 'worker.stopped']);
  });

  test.each([
    [{ on: { exploded: () => {} } }, 'on: there is no event "exploded"'],
    [{ on: { failed: 'alarm' } }, "on['failed']: must be a function"],
    [{ on: () => {} }, 'on: must be an object of functions'],
  ])('refuses %j', async (chronis, message) => {
    await expect(NestApp.boot({ chronis: chronis as never })).rejects.toThrow(message);
  });
});
