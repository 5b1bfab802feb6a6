import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageInUseError, type StorageAdapter } from '../../lib/index.js';
import { fileStorage } from '../../lib/file/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { addOneOff, ref } from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;

beforeEach(() => void (folder = temporaryFolder()));

afterEach(() => rmSync(folder, { recursive: true }));

describe.each(['jobs.json', 'jobs.db'])('a storage in %s', (name) => {
  async function made(path = join(folder, name)): Promise<StorageAdapter & { open(): StorageAdapter }> {
    const recipe = name.endsWith('.db')
      ? sqliteStorage({ path, driver: 'better-sqlite3' })
      : fileStorage({ path });
    return (await recipe.create()) as never;
  }

  const isLocked = (): boolean => existsSync(join(folder, `${name}.lock`));

  test('that is opened twice at once is closed by one end', async () => {
    const storage = await made();
    await Promise.all([storage.init(), storage.init()]);
    await addOneOff(storage);
    expect(isLocked()).toBe(true);
    await storage.close();
    expect(isLocked()).toBe(false);
  });

  test('that is closed while it is being opened is closed', async () => {
    const storage = await made();
    const opening = storage.init();
    await storage.close();
    await opening;
    expect(isLocked()).toBe(false);
  });

  test('that is opened by another adapter while the last one closes it is open', async () => {
    const storage = await made();
    await storage.init();
    const job = await addOneOff(storage);
    const other = storage.open();
    const [closed, opened] = await Promise.allSettled([storage.close(), other.init()]);
    expect([closed.status, opened.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(await other.getJob(ref('job'))).toEqual(job);
    expect(isLocked()).toBe(true);
    await other.close();
    expect(isLocked()).toBe(false);
  });

  test('has one lock, also for those that know it by a link', async () => {
    const storage = await made();
    await storage.init();
    await addOneOff(storage);
    await storage.close();
    mkdirSync(join(folder, 'links'));
    const link = join(folder, 'links', name);
    symlinkSync(join(folder, name), link);
    // Nothing of a file is written before its end.
    const first = await made();
    await first.init();
    const second = await made(link);
    await expect(second.init()).rejects.toThrow(StorageInUseError);
    await first.close();
  });
});
