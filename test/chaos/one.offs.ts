import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { jobs, manners, notes } from './chaos.options.js';
import { pause, type Cluster } from './cluster.js';

/** Creates one-offs until `endAt`, as an application does that runs no jobs itself; returns how many. */
export async function createOneOffs(cluster: Cluster, endAt: number): Promise<number> {
  const storage = typeOrmStorage({
    url: cluster.server.url,
    schema: jobs,
    statementTimeoutMs: 2_000,
    notify: false,
  });
  @Module({ imports: [ChronisModule.forRoot({ storage, app: 'creator', autoStart: false })] })
  class CreatorModule {}
  const app = await NestFactory.createApplicationContext(CreatorModule, { logger: ['error'] });
  const scheduler = app.get(SchedulerService);
  const { rate } = cluster.options;
  const ids: string[] = [];
  const creating: Promise<void>[] = [];
  const create = async (id: string, n: number): Promise<void> => {
    // Said again after an answer that was lost; `keep` makes sure that the id is still taken then.
    const job = {
      id,
      handler: 'one-off',
      in: 1 + (n % 20) * 100,
      onConflict: 'ignore',
      keep: '1h',
      maxLost: 1_000,
    } as const;
    for (;;) {
      try {
        await scheduler.createDateJob({ ...job, allowUnknownHandler: true });
        ids.push(id);
        return;
      } catch {
        await pause(200);
      }
    }
  };
  for (let n = 1; Date.now() < endAt; n++) {
    creating.push(create(`${manners[n % manners.length]}-one-off-${n}`, n));
    await pause(1_000 / rate);
  }
  await Promise.all(creating);
  await app.close();
  await cluster.query(`insert into ${notes}.one_off select unnest($1::text[])`, [ids]);
  return ids.length;
}
