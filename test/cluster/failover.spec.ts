import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  Interval,
  JobHandler,
  SchedulerService,
  type ChronisEventName,
  type RunContext,
} from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { TcpProxy } from '../chaos/tcp.proxy.js';
import {
  replicationBinaries,
  replicationNeeds,
  startServer,
  type ClusterServer,
} from '../support/standby.js';

const isPossible = replicationBinaries() !== null;
const leaseMs = 4_000;
const recoveredWithinMs = 5_000;

// Real servers need real time: what is waited for is an event of theirs or of the engine, never a number of milliseconds.
describe.skipIf(!isPossible)(
  `a failover (${isPossible ? 'with servers of this machine' : replicationNeeds})`,
  () => {
    const cleanUp: (() => unknown)[] = [];

    afterEach(async () => {
      for (const step of cleanUp.splice(0).toReversed()) await step();
    });

    /** Every execution: which run, of which job. */
    interface Begun {
      runId: string;
      job: string;
      at: number;
    }

    class World {
      readonly begun: Begun[] = [];
      readonly told: ChronisEventName[] = [];
      private readonly waiting = new Map<string, () => void>();

      note({ runId, job, nominalAt }: RunContext): void {
        this.begun.push({ runId, job: `${job.id} ${nominalAt.toISOString()}`, at: Date.now() });
      }

      /** Ends the handler of this job. */
      end(jobId: string): void {
        this.waiting.get(jobId)?.();
      }

      untilEnded(jobId: string): Promise<void> {
        return new Promise((resolve) => this.waiting.set(jobId, resolve));
      }

      ticks(since: number): number {
        return this.begun.filter(({ job, at }) => job.startsWith('tick ') && at > since).length;
      }
    }

    async function server(): Promise<ClusterServer> {
      const started = await startServer();
      cleanUp.push(() => started.vanish());
      return started;
    }

    async function standbyOf(primary: ClusterServer): Promise<ClusterServer> {
      const standby = await primary.standby();
      cleanUp.push(() => standby.vanish());
      return standby;
    }

    /** The address that applications know. */
    async function addressOf(primary: ClusterServer): Promise<TcpProxy> {
      const proxy = await TcpProxy.to(primary.port);
      cleanUp.push(() => proxy.close());
      return proxy;
    }

    async function application(proxy: TcpProxy, world: World): Promise<INestApplicationContext> {
      class Jobs {
        @Interval('1s', { id: 'tick', overlap: 'allow', misfire: 'all' })
        tick(context: RunContext): void {
          world.note(context);
        }

        @JobHandler('quick')
        quick(context: RunContext): string {
          world.note(context);
          return context.job.id;
        }

        @JobHandler('slow')
        async slow(context: RunContext): Promise<string> {
          world.note(context);
          await world.untilEnded(context.job.id);
          return context.job.id;
        }
      }
      const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
      @Module({
        imports: [
          ChronisModule.forRoot({
            storage: typeOrmStorage({ url, statementTimeoutMs: 2_000 }),
            app: 'failover',
            leaseMs,
            pollMs: 500,
            shutdownTimeoutMs: 3_000,
            abortGraceMs: 500,
            log: false,
          }),
        ],
        providers: [Jobs],
      })
      class AppModule {}
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      cleanUp.push(() => app.close());
      app.get(ChronisEvents).onAny((name) => world.told.push(name));
      return app;
    }

    async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
      while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
    }

    /** Of the runs that the test is about. */
    const verdicts = (from: ClusterServer) =>
      from.query<{ run_id: string; job_id: string; outcome: string; result: unknown }>(
        `select run_id::text, job_id, outcome, result from chronis.attempt where final and job_id ~ '^(slow|new-|o\\d|lost|later)' order by job_id`,
      );

    /** A sequence counts 32 ahead of what its server has logged, so fewer would hide ids that come again. */
    async function runMany(scheduler: SchedulerService, world: World, prefix: string): Promise<void> {
      const items = Array.from({ length: 80 }, (_, nth) => ({
        id: `${prefix}-${nth}`,
        handler: 'quick',
        in: 0,
      }));
      await scheduler.createMany(items);
      await until(() => world.begun.filter(({ job }) => job.startsWith(`${prefix}-`)).length >= items.length);
    }

    /** No id names two occurrences, in whatever part of the history. */
    function expectIdsOfTheirOwn({ begun }: World): void {
      const occurrences = new Map<string, Set<string>>();
      for (const { runId, job } of begun) {
        occurrences.set(runId, (occurrences.get(runId) ?? new Set()).add(job));
      }
      expect([...occurrences].filter(([, jobs]) => jobs.size > 1)).toEqual([]);
    }

    test(
      'to a standby that has everything loses nothing, and work goes on within five seconds',
      { timeout: 120_000 },
      async () => {
        const primary = await server();
        const standby = await standbyOf(primary);
        await primary.waitForStandbys();
        const proxy = await addressOf(primary);
        const world = new World();
        const app = await application(proxy, world);
        const scheduler = app.get(SchedulerService);
        await until(() => world.ticks(0) >= 2);
        await scheduler.createDateJob({ id: 'slow', handler: 'slow', in: 0 });
        await until(() => world.begun.some(({ job }) => job.startsWith('slow ')));
        for (let nth = 0; nth < 20; nth++)
          await scheduler.createDateJob({ id: `o${nth}`, handler: 'quick', in: 2_000 });
        await primary.stop('immediate');
        proxy.cut();
        await standby.promote();
        await standby.waitForStandbys(false);
        proxy.pointTo(standby.port);
        proxy.heal();
        const accepted = Date.now();
        await until(() => world.ticks(accepted) > 0);
        expect(Date.now() - accepted).toBeLessThan(recoveredWithinMs);
        world.end('slow');
        await until(async () => (await verdicts(standby)).length >= 21);
        const rows = await verdicts(standby);
        expect(rows.map(({ job_id }) => job_id).toSorted()).toEqual(
          ['slow', ...Array.from({ length: 20 }, (_, nth) => `o${nth}`)].toSorted(),
        );
        for (const { job_id, result } of rows) expect(result).toBe(job_id);
        expectIdsOfTheirOwn(world);
      },
    );

    test(
      'to a standby that is behind: no id is given out again, and no late result is taken for another run',
      { timeout: 120_000 },
      async () => {
        const primary = await server();
        const standby = await standbyOf(primary);
        const proxy = await addressOf(primary);
        const world = new World();
        const app = await application(proxy, world);
        const scheduler = app.get(SchedulerService);
        await until(() => world.ticks(0) >= 2);
        await primary.untilFollowed(standby);
        await standby.fallBehind();
        await runMany(scheduler, world, 'before');
        const lost = ['lost-1', 'lost-2', 'lost-3'];
        for (const id of lost) await scheduler.createDateJob({ id, handler: 'slow', in: 0 });
        await until(() => world.begun.filter(({ job }) => job.startsWith('lost-')).length === lost.length);
        await primary.stop('immediate');
        proxy.cut();
        await standby.promote();
        proxy.pointTo(standby.port);
        proxy.heal();
        const accepted = Date.now();
        await until(() => world.ticks(accepted) > 0);
        expect(Date.now() - accepted).toBeLessThan(recoveredWithinMs);
        await runMany(scheduler, world, 'after');
        const anew = ['new-1', 'new-2', 'new-3'];
        for (const id of anew) await scheduler.createDateJob({ id, handler: 'slow', in: 0 });
        await until(() => world.begun.filter(({ job }) => job.startsWith('new-')).length === anew.length);
        // The handlers of what is lost end first: were a run known by a number that comes again, these would be taken for the results of the new ones.
        for (const id of lost) world.end(id);
        await until(() => world.told.filter((name) => name === 'run.stale').length === lost.length);
        expect(await verdicts(standby)).toEqual([]);
        for (const id of anew) world.end(id);
        await until(async () => (await verdicts(standby)).length === anew.length);
        expect(await verdicts(standby)).toMatchObject(
          anew.map((id) => ({ job_id: id, outcome: 'succeeded', result: id })),
        );
        expectIdsOfTheirOwn(world);
      },
    );

    test(
      'to a backup: a worker that it does not know registers anew, and schedules go on',
      { timeout: 120_000 },
      async () => {
        const primary = await server();
        const proxy = await addressOf(primary);
        const world = new World();
        const first = await application(proxy, world);
        await until(() => world.ticks(0) >= 2);
        await first.close();
        await primary.backUp();
        const second = await application(proxy, world);
        await second.get(SchedulerService).createDateJob({ id: 'lost', handler: 'slow', in: 0 });
        await until(() => world.begun.some(({ job }) => job.startsWith('lost ')));
        proxy.cut();
        await primary.goBack();
        proxy.heal();
        const accepted = Date.now();
        await until(() => world.told.includes('worker.lease-lost'));
        await until(() => world.ticks(accepted) > 0);
        expect(Date.now() - accepted).toBeLessThan(leaseMs + recoveredWithinMs);
        world.end('lost');
        await second.get(SchedulerService).createDateJob({ id: 'later', handler: 'quick', in: 0 });
        await until(async () => (await verdicts(primary)).length === 1);
        expect(await verdicts(primary)).toMatchObject([{ job_id: 'later', result: 'later' }]);
        const [{ workers }] = await primary.query<{ workers: number }>(
          'select count(*)::int as workers from chronis.worker where lease_until > now() and released_at is null',
        );
        expect(workers).toBe(1);
        expectIdsOfTheirOwn(world);
      },
    );
  },
);
