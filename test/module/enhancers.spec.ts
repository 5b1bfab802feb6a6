import {
  Catch,
  Get,
  ForbiddenException,
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { IsEmail } from 'class-validator';
import { EMPTY, defer, map, of, tap, type Observable } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Ctx,
  Interval,
  InjectRunContext,
  JobHandler,
  Payload,
  UnrecoverableError,
  type JsonValue,
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

async function run(handler: string, payload: JsonValue = null, maxRetries = 0) {
  const id = `job-${handler}`;
  await chronis!.scheduler.createJob({ id, handler, trigger: { type: 'manual' }, payload, maxRetries });
  return chronis!.run(id);
}

@Injectable()
class Policy {
  readonly closed = new Set(['forbidden']);
}

@Injectable()
class PolicyGuard implements CanActivate {
  constructor(
    @Inject(Policy) private readonly policy: Policy,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const [run] = context.getArgs<[RunContext]>();
    const role = this.reflector.get<string>('role', context.getHandler());
    seen.push(`guard ${context.getType()} ${context.getClass().name} ${role} ${run.job.handler}`);
    return !this.policy.closed.has(run.job.handler);
  }
}

class Doubling implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: number) => value * 2));
  }
}

@Catch(RangeError)
class RangeFilter implements ExceptionFilter {
  catch(error: RangeError, host: ArgumentsHost): string {
    const [run] = host.getArgs<[RunContext]>();
    return `${run.job.handler}: ${error.message}`;
  }
}

class Mail {
  @IsEmail()
  to: string;
}

@Injectable()
@UseGuards(PolicyGuard)
class Jobs {
  @JobHandler('allowed', { useEnhancers: true })
  @SetMetadata('role', 'mailer')
  @UseInterceptors(Doubling)
  async allowed(context: RunContext<number>): Promise<number> {
    seen.push('handler');
    return context.payload;
  }

  @JobHandler('forbidden', { useEnhancers: true })
  forbidden(): void {
    seen.push('handler');
  }

  @JobHandler('filtered', { useEnhancers: true })
  @UseFilters(RangeFilter)
  filtered({ payload }: RunContext<string>): void {
    throw payload === 'range' ? new RangeError('too far') : new TypeError('wrong');
  }

  @JobHandler('mail')
  @UsePipes(new ValidationPipe({ transform: true, expectedType: Mail }))
  mail(@Ctx() context: RunContext, @Payload() mail: Mail): string {
    return `${mail.constructor.name} to ${mail.to}, attempt ${context.attempt}`;
  }

  @JobHandler('number')
  number(@Payload(ParseIntPipe) count: number): number {
    return count + 1;
  }
}

const jobs: ChronisTestingOptions = { providers: [Jobs, Policy, PolicyGuard, Reflector] };

describe('guards, interceptors and filters', () => {
  test('are applied to a handler that wants them', async () => {
    await create(jobs);
    expect(await run('allowed', 21)).toMatchObject({ verdict: 'succeeded', result: 42 });
    expect(seen).toEqual(['guard chronis Jobs mailer allowed', 'handler']);
  });

  test('fail a run that a guard refuses, whatever retries it has', async () => {
    await create(jobs);
    const report = await run('forbidden', null, 3);
    expect(report).toMatchObject({ verdict: 'failed', executions: [{ attempt: 1 }] });
    expect(report.error).toBeInstanceOf(UnrecoverableError);
    expect(report.error).toMatchObject({
      message: 'The run is refused: Forbidden resource.',
      cause: expect.any(ForbiddenException),
    });
    expect(seen).not.toContain('handler');
  });

  test('make a result of what a filter catches, and leave other errors as they are', async () => {
    await create(jobs);
    expect(await run('filtered', 'range')).toMatchObject({
      verdict: 'succeeded',
      result: 'filtered: too far',
    });
    await chronis!.scheduler.updateJob('job-filtered', { payload: 'type' });
    const report = await chronis!.run('job-filtered');
    expect(report).toMatchObject({ verdict: 'failed', error: new TypeError('wrong') });
  });

  test('are not applied unless asked for, by the module or by the decorator', async () => {
    @Injectable()
    @UseGuards(PolicyGuard)
    class Silent {
      @Interval('1h', { id: 'hourly' })
      hourly(): void {}

      @JobHandler('open', { useEnhancers: false })
      open(): void {}
    }
    const providers = [Silent, Policy, PolicyGuard, Reflector];
    await create({ providers });
    await chronis!.run('hourly', { throws: true });
    expect(seen).toEqual([]);
    await chronis!.close();
    await create({ providers, chronis: { useEnhancers: true } });
    await chronis!.run('hourly', { throws: true });
    await run('open');
    expect(seen).toEqual(['guard chronis Silent undefined Silent.hourly']);
  });

  test('are told of at boot where they are neither wanted nor refused', async () => {
    class Mixed {
      @UseGuards(PolicyGuard)
      @UseFilters(RangeFilter)
      @JobHandler('open')
      open(): void {}

      @UseGuards(PolicyGuard)
      @JobHandler('refused', { useEnhancers: false })
      refused(): void {}

      @UseGuards(PolicyGuard)
      @Interval('1h', { useEnhancers: true })
      applied(): void {}

      @UseGuards(PolicyGuard)
      @Get('route')
      @Interval('1h')
      route(): void {}

      @UseGuards(PolicyGuard)
      @Interval('1h', { disabled: true })
      off(): void {}
    }
    const told: unknown[] = [];
    const on = { 'enhancers.unapplied': (event: object) => void told.push(event) };
    const controllers = [Mixed];
    await create({ providers: [Policy, PolicyGuard, Reflector], controllers, chronis: { on } });
    expect(told).toEqual([{ methods: [{ place: 'Mixed.open', decorators: ['@UseGuards', '@UseFilters'] }] }]);
  });

  test('include the global ones', async () => {
    await create({ providers: [...jobs.providers!, { provide: APP_GUARD, useClass: PolicyGuard }] });
    await run('allowed', 1);
    expect(seen.filter((line) => line.startsWith('guard'))).toHaveLength(2);
  });

  test('may be request-scoped, and then have the run injected', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class RunGuard implements CanActivate {
      constructor(@InjectRunContext() private readonly run: RunContext) {}

      canActivate(): boolean {
        seen.push(`guard of ${this.run.job.id}`);
        return true;
      }
    }
    @Injectable()
    class Scoped {
      @JobHandler('scoped', { useEnhancers: true })
      @UseGuards(RunGuard)
      scoped(): void {
        seen.push('handler');
      }
    }
    await create({ providers: [Scoped] });
    await run('scoped');
    expect(seen).toEqual(['guard of job-scoped', 'handler']);
  });

  test('must be meant by all decorators of a method', async () => {
    @Injectable()
    class Twice {
      @Interval('1h', { useEnhancers: true })
      @JobHandler('twice', { useEnhancers: false })
      twice(): void {}
    }
    await expect(create({ providers: [Twice] })).rejects.toThrow(
      '@Interval on Twice.twice: useEnhancers: another decorator of the method says otherwise.',
    );
  });
});

describe('pipes', () => {
  test('check and transform the payload where it is a parameter', async () => {
    await create(jobs);
    const mail = await run('mail', { to: 'ada@example.com' });
    expect(mail).toMatchObject({ verdict: 'succeeded', result: 'Mail to ada@example.com, attempt 1' });
    await chronis!.scheduler.updateJob('job-mail', { payload: { to: 'nobody' } });
    const refused = await chronis!.run('job-mail');
    expect(refused.verdict).toBe('failed');
    expect(refused.error).toMatchObject({
      status: 400,
      message: 'Bad Request Exception: to must be an email',
    });
    expect(await run('number', '41')).toMatchObject({ result: 42 });
  });
});

describe('a handler that returns work which has not begun', () => {
  const ends: Record<string, () => unknown> = {
    observable: () => defer(() => of('first', note('done'))),
    'promise of an observable': async () => defer(() => of(note('done'))),
    'observable of nothing': () => defer(() => (note('done'), EMPTY)),
    generator: async function* () {
      yield note('done');
    },
    'failing observable': () =>
      defer(() => {
        note('done');
        throw new RangeError('too far');
      }),
  };
  const note = (text: string): string => {
    seen.push(text);
    return text;
  };

  class Passing implements NestInterceptor {
    intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
      return next.handle().pipe(tap({ complete: () => void note('intercepted') }));
    }
  }

  class Lazy {
    @JobHandler('called directly')
    direct({ payload }: RunContext<string>): unknown {
      return ends[payload]!();
    }

    @JobHandler('called with a pipe')
    piped(@Payload() end: string): unknown {
      return ends[end]!();
    }

    @JobHandler('enhanced', { useEnhancers: true })
    @UseFilters(RangeFilter)
    enhanced({ payload }: RunContext<string>): unknown {
      return ends[payload]!();
    }

    @JobHandler('intercepted', { useEnhancers: true })
    @UseInterceptors(Passing)
    @UseFilters(RangeFilter)
    intercepted({ payload }: RunContext<string>): unknown {
      return ends[payload]!();
    }
  }

  test.each(['called directly', 'called with a pipe', 'enhanced', 'intercepted'])(
    'has done it before the run ends: %s',
    async (handler) => {
      await create({ providers: [Lazy] });
      for (const end of Object.keys(ends)) {
        seen.length = 0;
        await chronis!.scheduler.createJob({
          ...{ id: end, handler, trigger: { type: 'manual' }, payload: end },
        });
        const { verdict, result } = await chronis!.run(end);
        expect(seen).toContain('done');
        const fails = end === 'failing observable';
        const isFiltered = fails && !handler.startsWith('called');
        const [expected, value] = isFiltered
          ? ['succeeded', `${handler}: too far`]
          : fails
            ? ['failed', null]
            : ['succeeded', end === 'observable of nothing' ? null : 'done'];
        expect([end, verdict, result]).toEqual([end, expected, value]);
        // A generator is a value like others to interceptors of Nest.
        if (handler === 'intercepted' && end.includes('observable') && !fails)
          expect(seen).toEqual(['done', 'intercepted']);
      }
    },
  );
});
