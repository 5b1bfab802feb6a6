import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileStorage } from '../../lib/file/index.js';
import type { OverdueNews, StorageAdapter } from '../../lib/index.js';
import { sqliteStorage } from '../../lib/sqlite/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { addRecurring, minute, ref } from '../../lib/testing/laws/fixture.js';
import { temporaryFolder } from '../support/file.subject.js';

describe.each([
  ['jobs.yaml', fileStorage],
  ['jobs.db', sqliteStorage],
])('an overdue job in %s', (name, storageIn) => {
  let folder: string;
  let clock: ManualClock;

  beforeEach(() => {
    folder = temporaryFolder();
    clock = new ManualClock();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What one process does after the other. */
  async function within<T>(work: (storage: StorageAdapter) => Promise<T>): Promise<T> {
    const storage = (await storageIn({ path: join(folder, name), clock }).create()) as StorageAdapter;
    await storage.init();
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  }
  const news = async (storage: StorageAdapter): Promise<OverdueNews> => storage.overdue!.noteOverdue(10);

  test('is told as over once when it is deleted, also by processes that come later', async () => {
    const { nextRunAt } = await within((storage) =>
      addRecurring(storage, { dueInMs: 0, policies: { lateAfterMs: minute } }),
    );
    await clock.advanceBy(2 * minute);
    const late = { namespace: 'default', id: 'job', dueAt: nextRunAt, lateAfterMs: minute };
    expect(await within(news)).toMatchObject({ begun: [late], ended: [] });
    expect(await within(news)).toMatchObject({ begun: [], ended: [] });
    await within((storage) => storage.deleteJob(ref('job')));
    expect(await within(news)).toEqual({ watched: false, begun: [], ended: [late] });
    expect(await within(news)).toEqual({ watched: false, begun: [], ended: [] });
  });
});
