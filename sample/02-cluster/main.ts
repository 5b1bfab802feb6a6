import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { ChronisModule, SchedulerService } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { untilStopped } from '../support/until-stopped.js';
import { quantile, readRecord } from './report.js';

const names = ['ada', 'bob', 'cem'];
const orders = 60;
process.env.SAMPLE_SECONDS ??= '15';

const database = await provideDatabase();

interface Started {
  jobId: string;
  nominalAt: number;
  lagMs: number;
}
const starts = new Map<string, { name: string; start: Started }[]>();
const futureLags: number[] = [];

async function startWorker(name: string): Promise<ChildProcess> {
  const child = fork(new URL('./worker.js', import.meta.url), {
    env: { ...process.env, WORKER_NAME: name },
  });
  await new Promise<void>((resolve) => {
    child.on('message', (message: 'ready' | Started) => {
      if (message === 'ready') return resolve();
      futureLags.push(message.lagMs);
      const second = new Date(message.nominalAt).toISOString().slice(11, 19);
      const list = starts.get(second) ?? [];
      starts.set(second, [...list, { name, start: message }]);
    });
  });
  return child;
}

/** What one worker started in a second, orders counted. */
function describe(list: { name: string; start: Started }[], name: string): string {
  const ids = list.filter((item) => item.name === name).map((item) => item.start.jobId);
  const recurring = ids.filter((id) => !id.startsWith('order-'));
  const orderCount = ids.length - recurring.length;
  return [...recurring, ...(orderCount > 0 ? [`${orderCount} × order`] : [])].join(' ') || '–';
}

/** A client only: it creates jobs, the workers run them. */
@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: database.url, schema: 'cluster_sample' }),
      lock: typeOrmLock(),
      app: 'cluster-sample',
      autoStart: false,
    }),
  ],
})
class ClientModule {}

const workers = await Promise.all(names.map(startWorker));
const client = await NestFactory.createApplicationContext(ClientModule, { logger: ['error', 'warn'] });
const scheduler = client.get(SchedulerService);
for (let order = 1; order <= orders; order++) {
  const at = new Date(Date.now() + 2_000 + (order * 8_000) / orders);
  await scheduler.createDateJob({ id: `order-${order}`, handler: 'charge-order', at, payload: { order } });
}
console.log(`Three processes on one database: ${names.join(', ')}. Who starts what, second by second:\n`);
const printing = setInterval(() => {
  const complete = new Date(Date.now() - 2_000).toISOString().slice(11, 19);
  for (const [second, list] of [...starts].toSorted(([a], [b]) => a.localeCompare(b))) {
    if (second > complete) break;
    starts.delete(second);
    const columns = names.map((name) => `${name}: ${describe(list, name)}`.padEnd(40));
    console.log(`${second}  ${columns.join(' ')}`);
  }
}, 500);

await untilStopped();
clearInterval(printing);
for (const worker of workers) worker.kill('SIGTERM');
await Promise.all(workers.map((worker) => once(worker, 'exit')));
await client.close();

console.log('\nThe record, read from the database:');
console.table(await readRecord(database.url, 'cluster_sample'));
console.log(
  `Start after the due instant, ${futureLags.length} runs: p50 ${quantile(futureLags, 0.5)} ms, p99 ${quantile(futureLags, 0.99)} ms`,
);
await database.stop();
