import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import { defineJob, Interval, JobHandler, OnJobEvent, type RunContext } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

type Method = (...args: any[]) => any;

/** What tracing, CLS and transactions put around a method. */
function wraps(_: object, __: string | symbol, descriptor: TypedPropertyDescriptor<Method>): void {
  const original = descriptor.value!;
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return original.apply(this, args);
  };
}

const Defined = defineJob<{ to: string }>('defined');
const seen: unknown[] = [];

@Injectable()
class Jobs {
  @JobHandler('wrapped below')
  @wraps
  below({ payload }: RunContext): void {
    seen.push(payload);
  }

  @wraps
  @JobHandler('wrapped above')
  above({ payload }: RunContext): void {
    seen.push(payload);
  }

  @JobHandler('rest')
  rest(...args: [RunContext]): void {
    seen.push(args[0].payload);
  }

  @JobHandler('default')
  byDefault(context: RunContext | null = null): void {
    seen.push(context?.payload);
  }

  @JobHandler('default in the pattern')
  pattern({ payload }: { payload?: unknown } = {}): void {
    seen.push(payload);
  }

  @JobHandler('arguments')
  byArguments(): void {
    // oxlint-disable-next-line prefer-rest-params
    seen.push((arguments[0] as RunContext).payload);
  }

  @Defined.Handle()
  @wraps
  defined({ payload }: RunContext<{ to: string }>): void {
    seen.push(payload);
  }

  @Interval('1h', { id: 'hourly', payload: { of: 'hourly' } })
  @wraps
  hourly({ payload }: RunContext): void {
    seen.push(payload);
  }

  @OnJobEvent('run.succeeded', { handler: 'listened to' })
  @wraps
  listen({ handler }: { handler: string }): void {
    seen.push(handler);
  }

  @JobHandler('listened to')
  silent(): void {}
}

describe('a method that is called for a run', () => {
  let booted: NestApp | null = null;

  afterEach(async () => {
    await booted?.close();
    booted = null;
    seen.length = 0;
  });

  test.each([
    'wrapped below',
    'wrapped above',
    'rest',
    'default',
    'default in the pattern',
    'arguments',
    'defined',
  ])('gets the context, whatever its parameters look like: %s', async (handler) => {
    booted = await NestApp.boot({ providers: [Jobs] });
    await booted.scheduler.createDateJob({ id: handler, handler, in: 0, payload: { to: handler } });
    await booted.settle();
    expect(seen).toEqual([{ to: handler }]);
  });

  test('gets it for a schedule as well, and a listener its event', async () => {
    booted = await NestApp.boot({ providers: [Jobs] });
    await booted.scheduler.createDateJob({ id: 'one', handler: 'listened to', in: 0 });
    await booted.settle();
    await booted.scheduler.runNow('hourly');
    await booted.settle();
    expect(seen).toEqual(['listened to', { of: 'hourly' }]);
  });
});
