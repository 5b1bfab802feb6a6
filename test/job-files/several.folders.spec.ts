import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChronisEvents, ChronisModule, JobHandler, SchedulerService } from '../../lib/index.js';
import { ChronisJobFiles, ChronisJobFilesModule } from '../../lib/job-files/index.js';
import { folderForEachTest, job, until, type FolderApps } from './folder.app.js';

let folder: FolderApps;
let app: INestApplicationContext;
let told: { name: string; event: object }[];
folderForEachTest((fresh) => (folder = fresh));
beforeEach(() => {
  told = [];
  for (const name of ['one', 'two']) mkdirSync(join(folder.root, name));
});
afterEach(() => app.close());

function write(file: string, content: object): void {
  writeFileSync(join(folder.root, file), JSON.stringify(content));
}

async function start(): Promise<void> {
  const files = (name: string) => ChronisJobFilesModule.forRoot({ directory: join(folder.root, name) });
  class Handlers {
    @JobHandler('say')
    say(): void {}
  }
  const storage = await folder.storage();
  const listener = {
    provide: 'listener',
    inject: [ChronisEvents],
    useFactory: (events: ChronisEvents) => events.onAny((name, event) => told.push({ name, event })),
  };
  @Module({
    imports: [files('one'), files('two'), ChronisModule.forRoot({ storage })],
    providers: [Handlers, listener],
  })
  class AppModule {}
  app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

async function running(): Promise<Record<string, unknown>> {
  const { items } = await app.get(SchedulerService).queryJobs({ source: 'code', limit: 100 });
  return Object.fromEntries(
    items.filter(({ orphanedAt }) => orphanedAt === null).map(({ id, payload }) => [id, payload]),
  );
}

const broken = (): object[] => told.filter(({ name }) => name === 'files.broken').map(({ event }) => event);

test('several folders are followed, each by a module of its own', async () => {
  write('one/a.json', job('a'));
  write('two/b.json', job('b'));
  await start();
  expect(await running()).toEqual({ a: 'a', b: 'b' });
  write('two/c.json', job('c'));
  rmSync(join(folder.root, 'one/a.json'));
  write('one/d.json', job('d'));
  await until(async () => expect(await running()).toEqual({ b: 'b', c: 'c', d: 'd' }));
  const all = app.get<ChronisJobFiles[]>(ChronisJobFiles as never, { each: true, strict: false } as never);
  expect(all.map((files) => files.status().files.map(({ file }) => file))).toEqual([
    ['d.json'],
    ['b.json', 'c.json'],
  ]);
});

test('an id that two folders have is told where it stands, and is that of the first', async () => {
  write('one/a.json', job('same', { payload: 'of one' }));
  write('two/b.json', [job('b'), job('same', { payload: 'of two' })]);
  await start();
  expect(await running()).toEqual({ same: 'of one' });
  expect(broken()).toMatchObject([
    {
      directory: join(folder.root, 'two'),
      file: 'b.json',
      reason: `Two lists of jobs have the job "same": a.json:1:1 of files:${join(folder.root, 'one')} and b.json:1:66 of files:${join(folder.root, 'two')}. Give one of them another id, or take it out. That of the first holds.`,
    },
  ]);
  expect((await app.get(SchedulerService).health()).warnings.join()).toContain('two/b.json');
  rmSync(join(folder.root, 'one/a.json'));
  write('one/c.json', job('c'));
  await until(async () => expect(await running()).toEqual({ b: 'b', same: 'of two', c: 'c' }));
});

test('a file that moves from one folder to the other keeps its jobs', async () => {
  write('one/a.json', job('a'));
  write('one/rest.json', job('rest'));
  await start();
  expect(await running()).toEqual({ a: 'a', rest: 'rest' });
  renameSync(join(folder.root, 'one/a.json'), join(folder.root, 'two/a.json'));
  const all = app.get<ChronisJobFiles[]>(ChronisJobFiles as never, { each: true, strict: false } as never);
  await until(async () => {
    expect(all[1]!.status().files).toMatchObject([{ jobs: [{ id: 'a', state: 'declared' }], error: null }]);
    expect(await running()).toEqual({ a: 'a', rest: 'rest' });
  });
});

test('an id that comes into both at the same moment is that of one, and told of the other', async () => {
  await start();
  for (const name of ['one', 'two']) write(`${name}/a.json`, job('same', { payload: name }));
  await until(() => expect(broken()).toHaveLength(1));
  const [{ directory }] = broken() as [{ directory: string }];
  const holds = directory.endsWith('two') ? 'one' : 'two';
  await until(async () => expect(await running()).toEqual({ same: holds }));
});
