import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

beforeAll(() => void compiledTests(), 120_000);

// Real processes: a machine that stalls for a whole lease is told from a fault by another try.
test(
  'of runs whose process is killed again and again only the one that kills it ends as lost',
  { retry: 2, timeout: 120_000 },
  async () => {
    const schema = freshSchema('dying');
    const storage = typeOrmStorage({ url: databaseUrl(), schema });
    @Module({ imports: [ChronisModule.forRoot({ storage, app: 'dying', autoStart: false, log: false })] })
    class CreatingModule {}
    const app = await NestFactory.createApplicationContext(CreatingModule, { logger: false });
    const client = new pg.Client(databaseUrl());
    await client.connect();
    let supervising = true;
    let deaths = 0;
    let worker: ChildProcess | null = null;
    const supervise = async (): Promise<void> => {
      while (supervising) {
        worker = fork(join(compiledTests(), 'test/cluster/dying.worker.js'), {
          env: {
            ...process.env,
            DATABASE_URL: databaseUrl(),
            SCHEMA: schema,
            KILL_MS: '300',
            WORK_MS: '900',
          },
          execArgv: [],
        });
        await once(worker, 'exit');
        if (supervising) deaths++;
      }
    };
    const created = ['poison', ...Array.from({ length: 9 }, () => 'good')].map((handler) => ({
      handler,
      in: 0,
      allowUnknownHandler: true,
    }));
    await app.get(SchedulerService).createMany(created);
    const supervised = supervise();
    try {
      const outcomes = async (): Promise<string[]> => {
        const { rows } = await client.query<{ end: string }>(
          `select handler || ' ' || outcome as "end" from "${schema}".attempt where final order by 1`,
        );
        return rows.map(({ end }) => end);
      };
      const until = Date.now() + 90_000;
      while ((await outcomes()).length < 10 && Date.now() < until) {
        await new Promise((resolve) => void setTimeout(resolve, 250));
      }
      expect(await outcomes()).toEqual([...Array.from({ length: 9 }, () => 'good succeeded'), 'poison lost']);
      expect(deaths).toBe(3);
    } finally {
      supervising = false;
      (worker as ChildProcess | null)?.kill('SIGKILL');
      await supervised;
      await app.close();
      await client.query(`drop schema if exists "${schema}" cascade`);
      await client.end();
    }
  },
);
