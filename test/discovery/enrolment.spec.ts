import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { JobLists } from '../../lib/discovery/job.lists.js';
import { JobSynchronizer } from '../../lib/discovery/job.synchronizer.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { StorageBusyError } from '../../lib/model/errors.js';
import type { SyncRequest, SyncResult } from '../../lib/ports/storage.adapter.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob } from '../../lib/scheduler/job.definition.js';
import { registrationOf } from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';

const minute = 60_000;

/** A storage in which somebody has locked a declared job for as long as the test says. */
class LockedStorage extends MemoryStorage {
  isLocked = true;
  /** What the syncs after the first fail with. */
  laterFault: Error | null = null;
  readonly requests: SyncRequest[] = [];

  override async syncDefinitions(request: SyncRequest): Promise<SyncResult> {
    this.requests.push(request);
    if (this.requests.length > 1 && this.laterFault !== null) throw this.laterFault;
    const result = await super.syncDefinitions(request);
    if (result.status === 'refused' || !this.isLocked) return result;
    return { ...result, postponed: [{ namespace: 'default', id: 'a' }] };
  }

  override syncedSet(...given: Parameters<MemoryStorage['syncedSet']>) {
    return this.isLocked ? Promise.resolve(null) : super.syncedSet(...given);
  }
}

describe('an enrolment', () => {
  let clock: ManualClock;
  let storage: LockedStorage;
  let events: ChronisEvents;
  let synchronizer: JobSynchronizer;

  beforeEach(() => {
    clock = new ManualClock();
    storage = new LockedStorage({ clock });
    events = new ChronisEvents();
    synchronizer = synchronizerOf('w', ['a']);
  });

  afterEach(() => synchronizer.end());

  function declared(id: string): DeclaredJob {
    const definition = defineJob(
      { id, handler: id, trigger: { type: 'cron', expression: '0 * * * *' }, options: {} },
      { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} },
      clock.now(),
    );
    return { definition, hash: definitionHash(definition), previousIds: [], place: `${id}.run` };
  }

  function synchronizerOf(workerId: string, ids: readonly string[]): JobSynchronizer {
    const jobs = ids.map(declared);
    return new JobSynchronizer(
      {
        ...{ storage, lock: storage.lock, clock, events },
        random: () => 0.5,
        lists: new JobLists(),
        explore: () => ({
          jobs,
          handlers: [],
          workflows: [],
          repeated: [],
          unapplied: [],
          unmarked: [],
          minified: [],
        }),
        workerId: () => workerId,
        onChange: () => undefined,
      },
      {
        app: 'shop',
        previousApps: ['before'],
        orphans: 'keep',
        orphanGraceMs: 10 * minute,
        calendars: {},
        lists: new JobLists(),
      },
    );
  }

  async function passUntil<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    promise.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    for (let i = 0; i < 100 && !isOver; i++) await clock.advanceBy(100);
    return promise;
  }

  const enroll = (by = synchronizer, id = 'w') =>
    passUntil(by.enroll(registrationOf({ id, app: 'shop' }), minute));

  test.each([new StorageBusyError('It waits.'), new Error('The connection ended.')])(
    'that has written stands, whatever comes of its further tries: %s',
    async (fault) => {
      storage.laterFault = fault;
      const { generation } = await enroll();
      expect(generation).toBe(1);
      expect(synchronizer.generation).toBe(1);
      expect(storage.requests.filter(({ registration }) => registration)).toHaveLength(1);
      // What is postponed is come back to.
      storage.laterFault = null;
      storage.isLocked = false;
      await clock.advanceBy(5_000);
      expect(
        await storage.syncedSet({ app: 'shop', setHash: storage.requests[0]!.setHash, graceMs: 0 }),
      ).not.toBeNull();
    },
  );

  test('takes jobs of previous apps over as it begins, and not for ever where another process has finished what it put off', async () => {
    await enroll();
    expect(storage.requests.every(({ previousApps }) => previousApps.length > 0)).toBe(true);
    // Another process of the release.
    storage.isLocked = false;
    const other = synchronizerOf('w-2', ['a']);
    await enroll(other, 'w-2');
    await other.end();
    await clock.advanceBy(5_000);
    storage.requests.length = 0;
    await storage.deleteJob({ namespace: 'default', id: 'a' });
    synchronizer.follow();
    await clock.advanceBy(5_000);
    expect(storage.requests).toMatchObject([{ previousApps: [] }]);
  });

  test('that finds nothing to do looks again soon, as a sync of others may have been under way', async () => {
    storage.isLocked = false;
    await enroll();
    await synchronizer.end();
    const later = synchronizerOf('w-2', ['a']);
    const looked = storage.syncedSet.bind(storage);
    // What another release stores between the look and the registration.
    storage.syncedSet = async (...given) => {
      const found = await looked(...given);
      storage.syncedSet = looked;
      const canary = synchronizerOf('w-3', ['b']);
      await canary.enroll(registrationOf({ id: 'w-3', app: 'shop' }), minute);
      await canary.end();
      return found;
    };
    storage.requests.length = 0;
    await enroll(later, 'w-2');
    expect(storage.requests).toHaveLength(1);
    await clock.advanceBy(3_000);
    expect(storage.requests.map(({ workerId }) => workerId)).toEqual(['w-3', 'w-2']);
    await later.end();
  });
});
