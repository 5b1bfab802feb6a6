// Some of the instances that start at once: told by its parent when, and with which release.
import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, Cron } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { release } from '../support/release.js';

/** What the parent says: a release to start, or to stop. */
export type StormOrder = { start: number } | 'stop';

/** What it hears: ready for orders · an instance is up · one has failed · all have stopped. */
export type StormReport = 'ready' | 'up' | 'stopped' | { failed: string };

const instances = Number(process.env.INSTANCES);
const url = process.env.DATABASE_URL;
const schema = process.env.SCHEMA;
const apps: INestApplicationContext[] = [];

async function start(minute: number): Promise<void> {
  const jobs = Array.from({ length: 20 }, (_, nth) => `job${nth}`);
  const methods = jobs.map(
    (name) => [name, [Cron(`${minute} 3 1 1 *`, { id: name })]] as [string, MethodDecorator[]],
  );
  const storage = typeOrmStorage({ url, schema });

  @Module({
    // Without the thread of each: to start so many would take this machine longer than all the rest, and is no work for the database.
    imports: [ChronisModule.forRoot({ storage, app: 'shop', maxBlockedMs: 0 })],
    providers: [release(Object.fromEntries(methods))],
  })
  class AppModule {}

  try {
    apps.push(await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }));
    report('up');
  } catch (error) {
    report({ failed: String(error) });
  }
}

function report(what: StormReport): void {
  process.send!(what);
}

process.on('message', (order: StormOrder) => {
  if (order !== 'stop') {
    for (let nth = 0; nth < instances; nth++) void start(order.start);
    return;
  }
  void Promise.all(apps.splice(0).map((app) => app.close())).then(() => report('stopped'));
});
report('ready');
