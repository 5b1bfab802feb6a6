import pg from 'pg';
import { Clock, SystemClock, type StorageAdapter } from '../../../lib/index.js';
import type { TypeOrmStorageOptions } from '../../../lib/typeorm/index.js';
import { OffsetClock } from '../../support/offset.clock.js';
import { newStorage } from '../../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../../support/schema.js';
import { schedulesOf, type Expected } from '../language/schedules.js';
import type { Instance } from './instance.js';
import { Ticks } from './ticks.js';
import { World } from './world.js';

const lookEveryMs = 100;
const orphanGraceMs = 600_000;

/**
 * Real time, with a short lease. Of the database's own clock, but in a scenario in which all are down for long: there the storage has one that leaps, as does each process. Time that
 * passes while others are there is moved in the rows.
 */
export class PostgresWorld extends World {
  readonly leaseMs = 8_000;
  readonly ticks: Ticks;
  readonly observer: StorageAdapter;
  readonly clock: OffsetClock;
  private readonly schema = freshSchema('story');

  constructor(private readonly leaps: boolean) {
    super();
    this.clock = new OffsetClock(new SystemClock());
    this.ticks = new Ticks(Math.floor(this.clock.now() / 1_000) * 1_000, 1_000);
    this.observer = this.newStorage({ notify: false, poolSize: 2 });
  }

  open(): Promise<void> {
    return this.observer.init();
  }

  newStorage(more: TypeOrmStorageOptions = {}): StorageAdapter {
    const clock = this.leaps ? { clock: this.clock as Clock } : {};
    return newStorage({ schema: this.schema, poolSize: 2, ...clock, ...more });
  }

  async passUntil(at: number): Promise<void> {
    await pause(Math.max(0, at - this.clock.now()));
  }

  async until(isSo: () => Promise<boolean>, withinMs: number): Promise<number | null> {
    const since = this.clock.monotonic();
    for (;;) {
      const passed = this.clock.monotonic() - since;
      if (await isSo()) return passed;
      if (passed > withinMs) return null;
      await pause(lookEveryMs);
    }
  }

  during<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  async leap(ms: number): Promise<void> {
    this.clock.offsetMs += ms;
  }

  async wait(ms: number, live: readonly Pick<Instance, 'app' | 'name'>[]): Promise<void> {
    const earlier = `interval '${ms} milliseconds'`;
    await this.query(
      `update "${this.schema}".worker set started_at = started_at - ${earlier},
         lease_until = case when name = any ($1) then lease_until else least(lease_until, clock_timestamp()) - ${earlier} end`,
      [live.map(({ name }) => name)],
    );
    await this.query(`update "${this.schema}".job set orphaned_at = orphaned_at - ${earlier}`);
    for (const app of new Set(live.map((one) => one.app)))
      await this.observer.orphanUndeclared(app, orphanGraceMs);
  }

  /** The minute is not waited for: it looks again as it starts. */
  lookAgain(restart: () => Promise<void>): Promise<void> {
    return restart();
  }

  /** Each schedule is seen once, at least. */
  mostTicks(expected: Record<string, Expected>): number {
    return Math.max(
      3,
      ...Object.values(expected).flatMap((given) => schedulesOf(given).map((one) => one.every)),
    );
  }

  async close(): Promise<void> {
    await this.observer.close();
    await this.query(`drop schema "${this.schema}" cascade`);
  }

  private async query(statement: string, values: unknown[] = []): Promise<void> {
    const client = new pg.Client(databaseUrl());
    await client.connect();
    try {
      await client.query(statement, values);
    } finally {
      await client.end();
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
