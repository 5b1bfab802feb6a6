import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisInterceptor,
  currentRun,
  InjectRunContext,
  JobHandler,
  type RunContext,
} from '../../lib/index.js';
import { ChronisTesting, type ChronisTestingOptions } from '../../lib/testing/index.js';

let chronis: ChronisTesting | null = null;
const seen: string[] = [];

afterEach(async () => {
  await chronis?.close();
  chronis = null;
  seen.length = 0;
});

async function create(options: ChronisTestingOptions): Promise<ChronisTesting> {
  return (chronis = await ChronisTesting.create(options));
}

/** Runs a handler that is registered for this. */
async function runHandler(handler: (context: RunContext) => unknown) {
  chronis!.scheduler.registerHandler('work', handler);
  await chronis!.scheduler.createJob({ id: 'job', handler: 'work', trigger: { type: 'manual' } });
  return chronis!.run('job');
}

class Noting extends ChronisInterceptor {
  constructor(private readonly name: string) {
    super();
  }

  async intercept({ job }: RunContext, next: () => Promise<unknown>): Promise<unknown> {
    seen.push(`${this.name} before ${job.id}`);
    const result = await next();
    seen.push(`${this.name} after`);
    return result;
  }
}

describe('interceptors', () => {
  test('stand around every handler, the first one outermost', async () => {
    @Injectable()
    class Inner extends Noting {
      constructor() {
        super('inner');
      }
    }
    await create({ providers: [Inner], chronis: { interceptors: [new Noting('outer'), Inner] } });
    const { result } = await runHandler(() => {
      seen.push('handler');
      return 42;
    });
    expect(seen).toEqual(['outer before job', 'inner before job', 'handler', 'inner after', 'outer after']);
    expect(result).toBe(42);
  });

  test('carry what singletons need, such as a tenant', async () => {
    const tenants = new AsyncLocalStorage<string>();
    const interceptor: ChronisInterceptor = {
      intercept: (context, next) => tenants.run(`tenant of ${context.job.id}`, next),
    };
    await create({ chronis: { interceptors: [interceptor] } });
    const { result } = await runHandler(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return tenants.getStore();
    });
    expect(result).toBe('tenant of job');
  });

  test('decide about the attempt by what they return and throw', async () => {
    let refuse = true;
    const interceptor: ChronisInterceptor = {
      intercept: async () => {
        if (refuse) throw new Error('not today');
        return 'left out';
      },
    };
    await create({ chronis: { interceptors: [interceptor] } });
    const handler = () => void seen.push('handler');
    expect(await runHandler(handler)).toMatchObject({ verdict: 'failed', error: new Error('not today') });
    refuse = false;
    expect(await chronis!.run('job')).toMatchObject({ verdict: 'succeeded', result: 'left out' });
    expect(seen).toEqual([]);
  });

  test('are refused at boot when nobody provides them, or they are something else', async () => {
    class Unknown extends Noting {}
    await expect(create({ chronis: { interceptors: [Unknown as never] } })).rejects.toThrow(
      'interceptors[0]: Unknown is not a provider that there is one of.',
    );
    await expect(create({ chronis: { interceptors: [{} as never] } })).rejects.toThrow(
      'interceptors[0]: must be a ChronisInterceptor or the class of one',
    );
    await expect(create({ chronis: { interceptors: 'all' as never } })).rejects.toThrow(
      'interceptors: must be a list',
    );
  });
});

describe('the context of a run', () => {
  @Injectable()
  class Log {
    note(what: string): void {
      seen.push(`${currentRun()?.job.id ?? 'nobody'}: ${what}`);
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class Attempt {
    constructor(
      @InjectRunContext() readonly run: RunContext | null,
      @Inject(REQUEST) readonly request: unknown,
    ) {}
  }

  @Injectable()
  class Jobs {
    constructor(
      @Inject(Attempt) private readonly attempt: Attempt,
      @Inject(Log) private readonly log: Log,
    ) {}

    @JobHandler('scoped')
    async scoped(context: RunContext): Promise<boolean> {
      await new Promise((resolve) => setImmediate(resolve));
      this.log.note('runs');
      return this.attempt.run === context && this.attempt.request === context;
    }
  }

  test('is known to singletons that a handler calls, however deep', async () => {
    await create({ providers: [Log] });
    const log = chronis!.app.get(Log);
    await runHandler(async () => {
      await Promise.resolve();
      log.note('called');
    });
    log.note('not called');
    expect(seen).toEqual(['job: called', 'nobody: not called']);
  });

  test('is injected into request-scoped providers, which are made for the run', async () => {
    await create({ providers: [Jobs, Log, Attempt] });
    await chronis!.scheduler.createJob({ id: 'a', handler: 'scoped', trigger: { type: 'manual' } });
    expect(await chronis!.run('a')).toMatchObject({ verdict: 'succeeded', result: true });
    expect(seen).toEqual(['a: runs']);
  });

  test('is null for what is made outside of a run', async () => {
    await create({ providers: [Attempt] });
    expect(await chronis!.app.resolve(Attempt)).toMatchObject({ run: null });
    expect(currentRun()).toBeNull();
  });

  test('belongs to one run: a job that a handler creates has its own', async () => {
    await create({});
    chronis!.scheduler.registerHandler('second', () => void seen.push(currentRun()!.job.id));
    await runHandler(async () => {
      await chronis!.scheduler.createDateJob({ id: 'later', handler: 'second', in: '1h' });
      return null;
    });
    await chronis!.drain();
    expect(seen).toEqual(['later']);
  });
});
