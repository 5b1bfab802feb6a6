import { readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/index.js';
import { planningStorage } from '../../lib/cli/planning.storage.js';
import { chronis, inFolder } from './cli.call.js';

afterEach(() => {
  delete process.env.PLAN_FILE;
});

test('a plan neither stores programs, nor takes locks', async () => {
  const memory = new MemoryStorage();
  const storage = planningStorage(memory, []);
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

test.each(['new.json', 'new.db'])(
  'of a storage in a file (%s) there is no plan, and none is made',
  async (name) => {
    await inFolder(async (folder) => {
      process.env.PLAN_FILE = join(folder, name);
      const args = ['plan', '--app', fileURLToPath(new URL('plan.app/with.file.ts', import.meta.url))];
      const { code, stdout, stderr } = await chronis(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('A storage in a file cannot be looked at without being changed');
      expect(readdirSync(folder)).toEqual([]);
    });
  },
);

test('a storage in a file that is there stays as it was, to the byte', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'jobs.json');
    const make = [
      'jobs',
      'create',
      '--id',
      'a',
      '--handler',
      'b',
      '--every',
      '1h',
      '--allow-unknown-handler',
    ];
    expect((await chronis([...make, '--storage', `file:${file}`])).code).toBe(0);
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
    process.env.PLAN_FILE = file;
    const args = ['plan', '--app', fileURLToPath(new URL('plan.app/with.file.ts', import.meta.url))];
    expect((await chronis(args)).code).toBe(1);
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])).toEqual(
      before,
    );
  });
});
