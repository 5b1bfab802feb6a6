import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStorage, SchedulerService, type StorageAdapter } from '../../lib/index.js';
import { fileStorage } from '../../lib/file/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { BootNotes } from '../../lib/cli/boot.notes.js';
import { planningStorage } from '../../lib/cli/planning.storage.js';
import { addRecurring, recurring } from '../../lib/testing/laws/fixture.js';
import { chronis, inFolder } from './cli.call.js';
import { AppModule } from './plan.app/with.file.js';

afterEach(() => {
  delete process.env.PLAN_FILE;
});

test('what hooks do to jobs is noted, and as good as done for them; what changes nothing is not', async () => {
  const memory = new MemoryStorage();
  await memory.init();
  await addRecurring(memory, { id: 'kept', payload: { a: 1, b: 2 } });
  await addRecurring(memory, { id: 'old' });
  const [kept, old, made] = ['kept', 'old', 'made'].map((id) => ({ namespace: 'default', id }));
  const before = await memory.queryJobs({}, { limit: 10 });
  const notes = new BootNotes();
  const storage = planningStorage(memory, notes);
  const { revision } = (await storage.getJob(kept!))!;
  expect(await storage.updateJob(kept!, { payload: { b: 2, a: 1 }, name: undefined }, revision)).toEqual(
    await memory.getJob(kept!),
  );
  expect(await storage.updateJob(made!, {})).toBe('not-found');
  expect(await storage.updateJob(kept!, { priority: 7 }, revision + 1)).toBe('stale');
  expect(notes.jobs).toEqual([]);
  expect(await storage.updateJob(kept!, { priority: 7 }, revision)).toMatchObject({
    priority: 7,
    revision: revision + 1,
  });
  expect(await storage.getJob(kept!)).toMatchObject({ priority: 7 });
  expect(await storage.deleteJob(old!)).toBe(true);
  expect(await storage.deleteJob(old!)).toBe(false);
  const job = await recurring(memory, { id: 'made' });
  expect(await storage.insertJobs([job], 'raise')).toMatchObject([{ status: 'created' }]);
  expect(await storage.insertJobs([job], 'raise')).toEqual([{ status: 'conflict' }]);
  expect(notes.jobs.map(({ id, action }) => `${id} ${action}`)).toEqual([
    'kept changed',
    'old deleted',
    'made created',
  ]);
  expect(notes.refusal).toBeNull();
  expect(await memory.queryJobs({}, { limit: 10 })).toEqual(before);
});

test('no method of a storage that is not known to change nothing reaches it', async () => {
  const memory = new MemoryStorage();
  await memory.init();
  const reached: string[] = [];
  const watched = new Proxy(memory, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key === 'symbol') return value;
      return () => void reached.push(key);
    },
  });
  const notes = new BootNotes();
  const storage = planningStorage(watched, notes);
  const changing = [
    ...['register', 'renew', 'fire', 'claim', 'settle', 'inherit', 'orphanUndeclared'],
    ...['pauseJob', 'resumeJob', 'cancelRun', 'cancelJob', 'changeJobs', 'runNow', 'backfill', 'pauseScope'],
    ...['resumeScope', 'retryRuns', 'discardRuns', 'settleOpen', 'sendRunSignal'],
  ];
  for (const name of changing) {
    const call = Reflect.get(storage, name) as () => Promise<unknown>;
    await expect(call(), name).rejects.toThrow(`it called ${name}()`);
  }
  expect(reached).toEqual([]);
  expect(notes.refusal!.message).toContain('it called register()');
});

test('a plan neither stores programs, nor takes locks', async () => {
  const memory = new MemoryStorage();
  const storage = planningStorage(memory, new BootNotes());
  await storage.init();
  const bytes = Buffer.from('program');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await expect(storage.binaries!.putBinary(sha256, bytes)).rejects.toThrow(
    /A plan changes nothing, but .* it called binaries\.putBinary\(\)/,
  );
  expect(await memory.binaries.readBinary(sha256)).toBeNull();
  const { lock } = storage;
  await lock.init();
  expect(lock.shared).toBe(memory.lock.shared);
  await expect(lock.acquire('sync', 'me', 1_000)).rejects.toThrow(/it called lock\.acquire\(\)/);
  await expect(lock.reset('sync')).rejects.toThrow(/it called lock\.reset\(\)/);
  expect(await lock.inspect('sync')).toBeNull();
  expect(await memory.lock.inspect('sync')).toBeNull();
});

describe.each(['jobs.json', 'jobs.db'])('of a storage in a file (%s)', (name) => {
  const args = ['plan', '--app', fileURLToPath(new URL('plan.app/with.file.ts', import.meta.url))];
  const contentOf = (folder: string): [string, string][] =>
    readdirSync(folder).map((each) => [each, readFileSync(join(folder, each), 'latin1')]);
  const inPlanned = (work: (folder: string) => Promise<void>): Promise<void> =>
    inFolder(async (folder) => {
      process.env.PLAN_FILE = join(folder, name);
      await work(folder);
    });

  test('that is not there yet all is new, and none is made', () =>
    inPlanned(async (folder) => {
      const { code, stdout } = await chronis(args);
      expect([code, stdout]).toEqual([2, expect.stringContaining('+ daily (Reports.daily)')]);
      expect(readdirSync(folder)).toEqual([]);
    }));

  test('there is a plan while a process has it, and after that, and it stays as it was to the byte', () =>
    inPlanned(async (folder) => {
      const planned = async (): Promise<void> => {
        const before = contentOf(folder);
        const { code, stdout, stderr } = await chronis(args);
        expect({ code, stdout, stderr }).toMatchObject({ code: 0, stderr: '' });
        expect(stdout).toContain('0 new, 0 changed, 0 gone, 1 unchanged');
        expect(contentOf(folder)).toEqual(before);
      };
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      await app.get(SchedulerService).pauseJob('daily');
      await planned();
      await app.close();
      await planned();
    }));
});

test('of a file that is damaged there is no plan, and it stays as it was', () =>
  inFolder(async (folder) => {
    process.env.PLAN_FILE = join(folder, 'jobs.json');
    writeFileSync(process.env.PLAN_FILE, '{');
    const args = ['plan', '--app', fileURLToPath(new URL('plan.app/with.file.ts', import.meta.url))];
    const { code, stderr } = await chronis(args);
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
    expect(readdirSync(folder)).toEqual(['jobs.json']);
    expect(readFileSync(process.env.PLAN_FILE, 'utf8')).toBe('{');
  }));

test.each(['jobs.json', 'jobs.db'])('%s: what a crash has left of the last write stays there', (name) =>
  inFolder(async (folder) => {
    const path = join(folder, name);
    const recipe = name.endsWith('.db') ? sqliteStorage({ path }) : fileStorage({ path });
    const looking = async (): Promise<StorageAdapter> => {
      const storage = await recipe.create();
      storage.onlyLook!();
      await storage.init();
      return storage;
    };
    const torn = `${path}${name.endsWith('.db') ? '-wal' : '.journal'}`;
    writeFileSync(torn, 'half a li');
    const storage = await looking();
    expect(await storage.countJobs({})).toBe(0);
    await storage.close();
    expect(readdirSync(folder)).toEqual([basename(torn)]);
    expect(readFileSync(torn, 'utf8')).toBe('half a li');
  }),
);
