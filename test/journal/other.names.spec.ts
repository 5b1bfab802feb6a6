import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileStorage } from '../../lib/file/index.js';
import { StorageError, StorageInUseError, type StorageAdapter } from '../../lib/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { addOneOff, ref } from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

let folder: string;
let clock: ManualClock;
let opened: StorageAdapter[];

beforeEach(() => {
  folder = temporaryFolder();
  clock = new ManualClock();
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close().catch(() => undefined);
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);

async function open(name: string): Promise<StorageAdapter> {
  const make = name.endsWith('.db') ? sqliteStorage : fileStorage;
  const storage = await make({ path: at(name), clock }).create();
  await storage.init();
  opened.push(storage);
  return storage;
}

async function refusal(name: string): Promise<Error> {
  const error = await open(name).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageInUseError);
  return error as Error;
}

describe.each(['jobs.db', 'jobs.json'])('%s by another name', (name) => {
  const ending = name.slice(name.indexOf('.'));

  test.each(['before it is written', 'when it is written'])(
    'through links, %s, is one file',
    async (when) => {
      mkdirSync(at('d'));
      if (when === 'when it is written') {
        const before = await open(`d/${name}`);
        await addOneOff(before, { id: 'kept' });
        await before.close();
      }
      symlinkSync(`d/${name}`, at(`one${ending}`));
      symlinkSync(at(`one${ending}`), at(`two${ending}`));
      symlinkSync('d', at('e'));
      symlinkSync(`../one${ending}`, at(`d/three${ending}`));
      const first = await open(`two${ending}`);
      await addOneOff(first);
      const names = [`d/${name}`, `one${ending}`, `two${ending}`, `e/${name}`, `e/three${ending}`];
      for (const each of names)
        expect((await refusal(each)).message).toContain(`is in use by the process ${process.pid} on `);
      await first.close();
      for (const each of names) {
        const next = await open(each);
        expect(await next.getJob(ref('job'))).not.toBeNull();
        expect((await next.getJob(ref('kept'))) !== null).toBe(when === 'when it is written');
        await next.close();
      }
      expect(readdirSync(folder).toSorted()).toEqual(['d', 'e', `one${ending}`, `two${ending}`]);
    },
  );

  test('that is a link to itself is refused, and does not hang', async () => {
    symlinkSync(`two${ending}`, at(`one${ending}`));
    symlinkSync(`one${ending}`, at(`two${ending}`));
    await expect(open(`one${ending}`)).rejects.toThrow(StorageError);
  });

  test('that is a hard link is refused, and so is the first one then, until there is one name again', async () => {
    const before = await open(name);
    await addOneOff(before);
    await before.close();
    const first = await open(name);
    linkSync(at(name), at(`other${ending}`));
    const { message } = await refusal(`other${ending}`);
    expect(message).toContain(`${at(`other${ending}`)} cannot be had by one process alone`);
    expect(message).toContain('has 2 names (hard links)');
    // Whoever has it goes on.
    await addOneOff(first, { id: 'next' });
    await first.close();
    if (ending === '.db') expect((await refusal(name)).message).toContain('has 2 names');
    rmSync(at(`other${ending}`));
    const again = await open(name);
    expect(await again.getJob(ref('job'))).not.toBeNull();
    expect(await again.getJob(ref('next'))).not.toBeNull();
  });

  test('that was moved away takes no more, and goes on when it is back', async () => {
    const first = await open(name);
    await addOneOff(first);
    const [held, elsewhere] = name === 'jobs.db' ? [name, 'moved.db'] : [`${name}.journal`, 'moved.journal'];
    renameSync(at(held), at(elsewhere));
    const error = await addOneOff(first, { id: 'lost' }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as Error).message).toContain(`${at(held)} was moved or deleted`);
    renameSync(at(elsewhere), at(held));
    await addOneOff(first, { id: 'next' });
    expect(await first.getJob(ref('lost'))).toBeNull();
    await first.close();
    const again = await open(name);
    expect(await again.getJob(ref('next'))).not.toBeNull();
    expect(await again.getJob(ref('lost'))).toBeNull();
  });

  test('of which a copy has taken the place takes no more', async () => {
    const first = await open(name);
    await addOneOff(first);
    const held = at(name === 'jobs.db' ? name : `${name}.journal`);
    writeFileSync(`${held}.copy`, readFileSync(held));
    renameSync(`${held}.copy`, held);
    await expect(addOneOff(first, { id: 'lost' })).rejects.toThrow(`${held} was moved or deleted`);
  });
});

test('a journal with two names is refused where the document is still to be written', async () => {
  const first = await open('jobs.json');
  await addOneOff(first);
  linkSync(at('jobs.json.journal'), at('other.json.journal'));
  expect((await refusal('other.json')).message).toContain(`${at('other.json.journal')} has 2 names`);
});
