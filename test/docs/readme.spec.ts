import { mkdirSync, writeFileSync } from 'node:fs';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SchedulerService } from '../../lib/index.js';
import { databaseUrl } from '../support/schema.js';
import { root, snippetsOf } from './pages.js';

const database = `readme_${randomBytes(5).toString('hex')}`;
const given = process.env.DATABASE_URL;

beforeEach(async () => {
  // The program uses the default schema, which others must not share with it.
  await onServer(`create database ${database}`);
  process.env.DATABASE_URL = Object.assign(new URL(databaseUrl()), { pathname: `/${database}` }).href;
});
afterEach(async () => {
  if (given === undefined) delete process.env.DATABASE_URL;
  else process.env.DATABASE_URL = given;
  await onServer(`drop database if exists ${database} with (force)`);
});

test('the program of the README boots on PostgreSQL, with its jobs, and makes the one that it promises', async () => {
  const folder = `${root}out/readme`;
  mkdirSync(folder, { recursive: true });
  // For the decorators.
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({ extends: '../../tsconfig.json', include: ['.'] }),
  );
  writeFileSync(`${folder}/app.module.ts`, snippetsOf('README.md')[0]!.code);
  const { AppModule, ReportService } = (await import(`${folder}/app.module.ts`)) as {
    AppModule: Type;
    ReportService: Type<{ onSignUp(user: string): Promise<void> }>;
  };
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  try {
    await app.get(ReportService).onSignUp('ada');
    const { items } = await app.get(SchedulerService).queryJobs();
    expect(items.map(({ handler, trigger }) => `${handler}: ${trigger.type}`).toSorted()).toEqual([
      'ReportService.dailyReport: cron',
      'ReportService.heartbeat: interval',
      'remind: at',
    ]);
  } finally {
    await app.close();
  }
});

async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
