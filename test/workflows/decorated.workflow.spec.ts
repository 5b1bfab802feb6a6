import {
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  Ctx,
  FromStep,
  Item,
  ManualStep,
  MemoryStorage,
  Step,
  Workflow,
  WorkflowService,
  currentRun,
  type ChronisModuleOptions,
  type JsonValue,
  type StepContext,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

const seen: unknown[] = [];
let apps: NestApp[] = [];

afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
  seen.length = 0;
});

async function boot(
  providers: any[],
  chronis: ChronisModuleOptions = {},
): Promise<NestApp & { workflows: WorkflowService }> {
  const app = await NestApp.boot({ providers, chronis });
  apps.push(app);
  return Object.assign(app, { workflows: app.app.get(WorkflowService) });
}

async function refusal(...providers: any[]): Promise<string> {
  try {
    await boot(providers);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

@Injectable()
class Rates {
  readonly rate = 2;
}

@Workflow('nightly', {
  cron: '0 2 * * *',
  timeZone: 'UTC',
  params: z.object({ rows: z.number().default(3) }),
  payload: {},
  timeout: '2h',
})
@Injectable()
class Nightly {
  constructor(private readonly rates: Rates) {}

  @Step()
  extract(ctx: StepContext<{ rows: number }>): number[] {
    return Array.from({ length: ctx.params.rows }, (_, i) => i);
  }

  @Step({ after: 'extract', map: true })
  transform(@Item(ParseIntPipe) row: number, @Ctx() ctx: StepContext): number {
    seen.push(['transform', ctx.workflow.nth, ctx.workflow.name]);
    return row * this.rates.rate;
  }

  @Step({ after: 'transform' })
  async load(ctx: StepContext): Promise<JsonValue> {
    const rows: JsonValue[] = [];
    for await (const row of ctx.results('transform')) rows.push(row);
    seen.push(['load', rows, currentRun() === ctx]);
    return { loaded: rows.length };
  }

  @ManualStep({ after: 'load', timeout: '1h' })
  approve(): void {
    throw new Error('never called');
  }

  @Step({ after: ['approve', 'load'], delay: '5m' })
  report(@FromStep('load') load: JsonValue, @FromStep('approve') approval: JsonValue): string {
    seen.push(['report', load, approval]);
    return 'sent';
  }
}

describe('a class that is a workflow', () => {
  test('runs by the calendar, each step after its parents, with what these returned', async () => {
    const app = await boot([Rates, Nightly]);
    await app.clock.advanceTo(Date.UTC(2026, 0, 1));
    expect(await app.scheduler.getJob('nightly')).toMatchObject({ source: 'code', handler: 'nightly' });
    await app.clock.advanceBy(2 * 3_600_000);
    await app.settle();
    const { items } = await app.workflows.list({ workflow: 'nightly', state: 'active' });
    const [{ runId }] = items as [(typeof items)[0]];
    expect(items[0]).toMatchObject({ params: { rows: 3 }, state: 'active' });
    await app.workflows.complete({ runId, step: 'approve' }, { by: 'somebody' });
    await app.settle();
    const graph = await app.workflows.graph(runId);
    expect(graph!.steps.map(({ name, state }) => [name, state])).toEqual([
      ['extract', 'succeeded'],
      ['transform', 'succeeded'],
      ['load', 'succeeded'],
      ['approve', 'succeeded'],
      ['report', 'released'],
    ]);
    expect(graph!.steps.at(-1)).toMatchObject({
      runState: 'waiting',
      waitsFor: expect.stringMatching(/^It is due at/),
    });
    await app.clock.advanceBy(5 * 60_000);
    expect(await app.workflows.get(runId)).toMatchObject({ state: 'succeeded', counts: { succeeded: 8 } });
    expect(await app.scheduler.waitForRun(runId)).toMatchObject({
      verdict: 'succeeded',
      result: { report: 'sent' },
    });
    expect(seen.filter((each) => (each as string[])[0] === 'transform')).toHaveLength(3);
    expect(seen).toContainEqual(['load', [0, 2, 4], true]);
    expect(seen).toContainEqual(['report', { loaded: 3 }, { by: 'somebody' }]);
  });

  test('is started by hand as well, with params that its schema checks', async () => {
    const app = await boot([Rates, Nightly]);
    await expect(app.workflows.start('nightly', { params: { rows: 'many' } })).rejects.toThrow('rows');
    const { runId, status } = await app.workflows.start('nightly', { params: { rows: 1 } });
    expect(status).toBe('created');
    await app.settle();
    expect(await app.workflows.get(runId)).toMatchObject({
      params: { rows: 1 },
      counts: { succeeded: 4, released: 1, waiting: 1 },
    });
  });

  test('is a job with what the configuration says of it', async () => {
    const app = await boot([Rates, Nightly], { overrides: { nightly: { schedule: '0 4 * * *' } } });
    expect((await app.scheduler.getJob('nightly'))!.trigger).toMatchObject({ expression: '0 4 * * *' });
    const off = await boot([Rates, Nightly], { overrides: { nightly: { disabled: true } } });
    expect(await off.scheduler.getJob('nightly')).toBeNull();
    await off.workflows.start('nightly', { params: {} });
    // As by any job of a workflow.
    await expect(boot([Rates, Nightly], { overrides: { nightly: { maxRetries: 2 } } })).rejects.toThrow(
      'maxRetries: the job calls the workflow "nightly", which is not tried again as a whole.',
    );
    await boot([Rates, Nightly], { overrides: { nightly: { maxRetries: 0 } } });
  });

  test('gets its deadline from what was changed of its job at run time', async () => {
    const app = await boot([Rates, Nightly]);
    await app.scheduler.updateJob('nightly', { timeout: '10m' });
    const { id } = await app.scheduler.runNow('nightly');
    await app.settle();
    await app.clock.advanceBy(10 * 60_000 + 1_000);
    await app.settle();
    expect(await app.workflows.get(id)).toMatchObject({ state: 'timed_out' });
  });

  test('holds the overlap of its job for as long as it goes on, and is backfilled', async () => {
    @Workflow('hourly', { cron: '0 * * * *', timeZone: 'UTC' })
    class Hourly {
      @ManualStep()
      wait(): void {}
    }
    const app = await boot([Hourly]);
    await app.clock.advanceTo(Date.UTC(2026, 0, 1, 3, 30));
    const { items } = await app.workflows.list();
    expect(items).toMatchObject([{ state: 'active' }]);
    const skipped = (await app.scheduler.getGaps({ jobId: 'hourly' })).items;
    expect(skipped.map(({ verdict }) => verdict)).toContain('skipped');
    await app.workflows.complete({ runId: items[0]!.runId, step: 'wait' });
    await app.clock.advanceTo(Date.UTC(2026, 0, 1, 4));
    await app.settle();
    expect(await app.workflows.list({ state: 'active' })).toMatchObject({ items: [{ state: 'active' }] });
    const { created } = await app.scheduler.backfill(
      'hourly',
      new Date(Date.UTC(2025, 0, 1)),
      new Date(Date.UTC(2025, 0, 1, 2)),
    );
    expect(created).toBe(3);
    await app.settle();
    // One after the other, as each waits for the end of the one before.
    expect((await app.workflows.list({ state: 'active' })).items).toHaveLength(2);
  });

  test('has its steps made anew for each run where they depend on a request, with guards', async () => {
    class Allowed implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const allowed = Reflect.getMetadata('allowed', context.getHandler()) as boolean;
        seen.push([context.getType(), context.getHandler().name]);
        return allowed;
      }
    }

    @Workflow('guarded')
    @Injectable({ scope: Scope.REQUEST })
    class Guarded {
      static made = 0;

      constructor(@Inject(Rates) readonly rates: Rates) {
        Guarded.made++;
      }

      @Step({ useEnhancers: true })
      @UseGuards(Allowed)
      @SetMetadata('allowed', true)
      first(): number {
        return this.rates.rate;
      }

      @Step({ after: 'first', useEnhancers: true, maxRetries: 3, allowFailure: true })
      @UseGuards(Allowed)
      @SetMetadata('allowed', false)
      second(): void {}
    }
    const app = await boot([Rates, Guarded]);
    const { runId } = await app.workflows.start('guarded');
    await app.settle();
    const { state, steps } = (await app.workflows.graph(runId))!;
    expect([state, steps.map((step) => step.state), Guarded.made]).toEqual([
      'succeeded',
      ['succeeded', 'failed'],
      2,
    ]);
    expect(steps[1]!.reason).toContain('The run is refused');
    expect(seen).toEqual([
      ['chronis', 'first'],
      ['chronis', 'second'],
    ]);
  });

  test.each([
    [
      'a step outside of a workflow',
      () => {
        class Lonely {
          @Step() go() {}
        }
        return Lonely;
      },
      '@Step on Lonely.go: Lonely is no workflow',
    ],
    [
      'a workflow without steps',
      () => {
        @Workflow('empty')
        class Empty {}
        return Empty;
      },
      'Empty has no method with @Step',
    ],
    [
      'an unknown parent',
      () => {
        @Workflow('w')
        class W {
          @Step() extract() {}
          @Step({ after: 'extrct' }) b() {}
        }
        return W;
      },
      'Did you mean "extract"?',
    ],
    [
      "a job's option without cron",
      () => {
        @Workflow('w', { overlap: 'queue' })
        class W {
          @Step() a() {}
        }
        return W;
      },
      'overlap: is for a workflow with "cron"',
    ],
    [
      'retries of the whole',
      () => {
        @Workflow('w', { cron: '* * * * *', maxRetries: 1 } as never)
        class W {
          @Step() a() {}
        }
        return W;
      },
      'It belongs to the steps',
    ],
    [
      'an option that is none',
      () => {
        @Workflow('w')
        class W {
          @Step({ afer: 'a' } as never) a() {}
        }
        return W;
      },
      'Did you mean "after"?',
    ],
    [
      'a wrong expression',
      () => {
        @Workflow('w', { cron: 'often' })
        class W {
          @Step() a() {}
        }
        return W;
      },
      'The workflow "w"',
    ],
    [
      'two decorators on a step',
      () => {
        @Workflow('w')
        class W {
          @Step() @ManualStep() a() {}
        }
        return W;
      },
      'is a step twice',
    ],
  ])('is refused at boot with %s', async (_, make, message) => {
    expect(await refusal(make())).toContain(message);
  });

  test('is refused at boot by a storage that has none', async () => {
    const storage = Object.assign(new MemoryStorage(), { flows: undefined }) as unknown as MemoryStorage;
    await expect(boot([Rates, Nightly], { storage })).rejects.toThrow(
      '@Workflow on Nightly needs a storage that has workflows',
    );
  });

  test('is refused twice under one name', async () => {
    @Workflow('nightly')
    class Other {
      @Step() extract(): void {}
    }
    expect(await refusal(Rates, Nightly, Other)).toContain('"nightly"');
  });
});
