import assert from 'node:assert/strict';
import {
  releasesKept,
  type CarriedSet,
  type DefinitionChange,
  type NewJob,
  type StorageAdapter,
  type SyncResult,
} from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addRecurring,
  eightAtOnce,
  hour,
  jobOf,
  minute,
  only,
  ref,
  registrationOf,
  startWorker,
} from './fixture.js';
import {
  app,
  carry,
  changeStored,
  declaration,
  declared,
  graceMs,
  insertDeclared,
  sync,
  synced,
  type SyncGiven,
} from './sync.fixture.js';

/** The sets that a sync sees, by the ids that they declare. */
async function setsSeen(storage: StorageAdapter, given: SyncGiven = {}): Promise<Map<string, CarriedSet>> {
  let seen: readonly CarriedSet[] = [];
  await synced(storage, {
    setHash: 'looks',
    ...given,
    plan: (_, __, carried) => {
      seen = carried;
      return [];
    },
  });
  return new Map(seen.map((set) => [set.declarations.map(({ id }) => id).join(), set]));
}

export const carriedSetLaws = lawsOf('carried set', {
  'has a number of its own, and is noted with the worker that carries it': async ({ storage }) => {
    const { workerId, generation } = await carry(storage, 'a');
    const other = await carry(storage, 'b');
    assert.notEqual(other.generation, generation);
    assert.equal((await carry(storage, 'a')).generation, generation);
    const info = (await storage.queryWorkers()).find(({ id }) => id === workerId);
    assert.equal(info?.generation, generation);
  },

  'is forgotten when none on record carries it and many have appeared since': async ({ storage }) => {
    const { workerId, generation } = await carry(storage, 'set 0', { leaseMs: 9 * hour });
    const staying = await carry(storage, 'carried', { leaseMs: 9 * hour });
    const numbers = [generation];
    for (let nth = 1; nth <= 2 * releasesKept; nth++) {
      const edit = await synced(storage, { setHash: `set ${nth}`, workerId });
      numbers.push(edit.generation);
    }
    assert.equal(new Set(numbers).size, numbers.length, 'Each set should have a number of its own.');
    const back = async (nth: number): Promise<number> =>
      (await synced(storage, { setHash: `set ${nth}`, workerId })).generation;
    const recent = 2 * releasesKept - 1;
    assert.equal(await back(recent), numbers[recent], 'The newest are kept.');
    assert.notEqual(await back(0), generation, 'The first one is long forgotten.');
    assert.equal((await carry(storage, 'carried')).generation, staying.generation, 'A worker carries it.');
    const info = (await storage.queryWorkers()).find(({ id }) => id === staying.workerId);
    assert.equal(info?.generation, staying.generation);
  },

  'is shown to plans while a worker carries it, and for the grace after, its own app alone': async ({
    storage,
    clock,
  }) => {
    const leaves = await carry(storage, 'a', { ids: ['a'], leaseMs: 9 * hour });
    await carry(storage, 'b', { ids: ['b'], leaseMs: hour });
    await carry(storage, 'c', { app: 'other', ids: ['c'], leaseMs: 9 * hour });
    await storage.unregister(leaves.workerId);
    await clock.advance(9 * minute);
    let seen = await setsSeen(storage, { ids: ['own'] });
    assert.deepEqual([...seen.keys()].sort(), ['a', 'b', 'own']);
    assert.equal(seen.get('b')!.carriedUntil, null);
    assert.equal(seen.get('own')!.carriedUntil, null);
    assert.ok(Math.abs((await storage.now()) - 9 * minute - seen.get('a')!.carriedUntil!) < minute);
    await clock.advance(2 * minute);
    seen = await setsSeen(storage, { ids: ['own'] });
    assert.deepEqual([...seen.keys()].sort(), ['b', 'own']);
    await clock.advance(hour - 4 * minute);
    assert.notEqual((await setsSeen(storage, { ids: ['own'] })).get('b')!.carriedUntil, null);
  },

  'is not live any more when its last worker goes over to another one': async ({ storage }) => {
    const { workerId } = await carry(storage, 'a', { ids: ['one', 'two'] });
    const other = await carry(storage, 'a', { ids: ['one', 'two'] });
    const liveSets = async (given: SyncGiven): Promise<number> => {
      let live = 0;
      const plan: SyncGiven['plan'] = (_, __, carried) => {
        live = carried.filter(({ carriedUntil }) => carriedUntil === null).length;
        return [];
      };
      await synced(storage, { setHash: 'b', ids: ['one'], ...given, plan });
      return live;
    };
    assert.equal(await liveSets({ workerId }), 2, 'Another worker carries the set still.');
    assert.equal(await liveSets({ workerId: other.workerId }), 1);
  },

  'keeps its place while it is carried and for the grace after, and appears anew later': async ({
    storage,
    clock,
  }) => {
    const old = await carry(storage, 'old', { ids: ['old'], leaseMs: 9 * hour });
    await carry(storage, 'new', { ids: ['new'], leaseMs: 9 * hour });
    const isNewer = async (): Promise<boolean> => {
      const seen = await setsSeen(storage);
      const [one, other] = [seen.get('old')!, seen.get('new')!];
      const places = [one, other].map(({ place, declarations }) => [place, declarations[0].place]);
      assert.equal(places[0][0] > places[1][0], places[0][1] > places[1][1]);
      return one.place > other.place;
    };
    assert.equal(await isNewer(), false);
    let again = await carry(storage, 'old', { ids: ['old'], leaseMs: 9 * hour });
    assert.equal(await isNewer(), false, 'Another worker of it brings nothing new.');
    for (const { workerId } of [old, again]) await storage.unregister(workerId);
    await clock.advance(9 * minute);
    again = await carry(storage, 'old', { ids: ['old'], leaseMs: 9 * hour });
    assert.equal(await isNewer(), false, 'It has only been restarted.');
    await storage.unregister(again.workerId);
    await clock.advance(11 * minute);
    await carry(storage, 'old', { ids: ['old'], leaseMs: 9 * hour });
    assert.equal(await isNewer(), true);
  },

  'that appears leaves their places to declarations that others carry': async ({ storage, clock }) => {
    const [kept, changed] = [declaration('kept'), declaration('changed')];
    const first = await carry(storage, 'first', { declarations: [kept, changed], leaseMs: 9 * hour });
    const now = [kept, { ...changed, hash: 'other' }, declaration('added')];
    await carry(storage, 'second', { declarations: now, leaseMs: 9 * hour });
    const placesOf = async (key: string): Promise<number[]> =>
      (await setsSeen(storage)).get(key)!.declarations.map(({ place }) => place);
    const [keptPlace, changedPlace] = await placesOf('kept,changed');
    assert.equal(keptPlace, changedPlace);
    const [samePlace, otherPlace, addedPlace] = await placesOf('kept,changed,added');
    assert.equal(samePlace, keptPlace);
    assert.ok(otherPlace > changedPlace);
    assert.equal(addedPlace, otherPlace);
    await storage.unregister(first.workerId);
    await clock.advance(hour);
    await carry(storage, 'third', { declarations: [changed, kept], leaseMs: 9 * hour });
    const [backPlace, stillPlace] = await placesOf('changed,kept');
    assert.ok(backPlace > otherPlace);
    assert.equal(stillPlace, keptPlace, 'The second carries it.');
  },

  'of which a job was deleted is to be synced': async ({ storage }) => {
    const job = await declared(storage, { id: 'a' });
    await carry(storage, 'set', {
      ids: ['a', 'outranked'],
      outranked: [ref('outranked')],
      plan: () => [{ kind: 'insert', job }],
    });
    assert.notEqual(await storage.syncedSet({ app, setHash: 'set', graceMs }), null);
    await storage.deleteJob(ref('a'));
    assert.equal(await storage.syncedSet({ app, setHash: 'set', graceMs }), null);
  },

  'that nothing has changed for is carried without a sync': async ({ storage, clock }) => {
    const looked = (setHash: string): Promise<unknown> => storage.syncedSet({ app, setHash, graceMs });
    assert.equal(await looked('a'), null, 'Nobody has synced it.');
    const outranked = [ref('a')];
    const { workerId, generation } = await carry(storage, 'a', { ids: ['a'], outranked, leaseMs: 9 * hour });
    await insertDeclared(storage, [await declared(storage, { id: 'a' })], {
      setHash: 'a',
      workerId,
      outranked,
    });
    assert.deepEqual(await looked('a'), { generation, outranked, changed: [] });
    assert.equal(await storage.syncedSet({ app: 'other', setHash: 'a', graceMs }), null);
    await carry(storage, 'b', { ids: ['b'] });
    assert.equal(await looked('a'), null, 'Another set has come.');
    await synced(storage, { setHash: 'a', ids: ['a'], workerId });
    assert.deepEqual(await looked('a'), { generation, outranked: [], changed: [] });
    await clock.advance(2 * minute);
    assert.equal(await looked('a'), null, 'The other set has gone.');
    await synced(storage, { setHash: 'a', ids: ['a'], workerId });
    await storage.unregister(workerId);
    assert.deepEqual(await looked('a'), { generation, outranked: [], changed: [] }, 'It is being restarted.');
    await clock.advance(11 * minute);
    assert.equal(await looked('a'), null, 'It would appear anew.');
  },

  'tells its workers with the renewal of the lease that others have come or gone': async ({
    storage,
    clock,
  }) => {
    const { workerId } = await carry(storage, 'a', { ids: ['a'], leaseMs: hour });
    const idle = await startWorker(storage, { app, leaseMs: hour });
    const isTold = async (id = workerId): Promise<boolean> => (await storage.renew(id, hour, 0)).outOfSync;
    assert.equal(await isTold(), false);
    const other = await carry(storage, 'b', { ids: ['b'], leaseMs: 5 * minute });
    assert.equal(await isTold(), true);
    assert.equal((await storage.renew(other.workerId, 5 * minute, 0)).outOfSync, false);
    await synced(storage, { setHash: 'a', ids: ['a'], workerId });
    assert.equal(await isTold(), false);
    await carry(storage, 'b', { ids: ['b'], leaseMs: minute });
    assert.equal(await isTold(), false, 'It is one more of the same.');
    await clock.advance(4 * minute);
    assert.equal(await isTold(), false);
    await clock.advance(2 * minute);
    assert.equal(await isTold(), true, 'The last has died.');
    assert.equal(await isTold(idle.workerId), false, 'It carries nothing.');
  },

  'is to be synced again when another worker comes in the middle of its sync': async ({ storage, open }) => {
    const adapter = await open();
    const jobs = await Promise.all(
      Array.from({ length: 40 }, (_, nth) => declared(storage, { id: `job-${nth}` })),
    );
    const insert = (): DefinitionChange[] => jobs.map((job) => ({ kind: 'insert', job }));
    const { workerId } = await carry(storage, 'a', { ids: ['job-0'], leaseMs: hour, plan: insert });
    const other = await carry(storage, 'b', { ids: ['job-1'], leaseMs: hour });
    await storage.unregister(other.workerId);
    const coming: Promise<unknown>[] = [];
    await synced(storage, {
      setHash: 'a',
      ids: ['job-0'],
      workerId,
      plan: (stored) => {
        // As one that is restarted, and has found that its set is synced.
        coming.push(adapter.register(registrationOf({ app, generation: other.generation }), hour));
        return stored.map(({ uid }, nth) => ({ kind: 'update', uid, job: jobs[nth]!, moveCursor: true }));
      },
    });
    await Promise.all(coming);
    assert.equal((await storage.renew(workerId, hour, 0)).outOfSync, true);
    assert.equal(await storage.syncedSet({ app, setHash: 'b', graceMs }), null);
  },

  'is still to be synced when an id was taken': async ({ storage }) => {
    await addRecurring(storage, { id: 'job' });
    const { workerId } = await carry(storage, 'a', { ids: ['job'] });
    const job = await declared(storage);
    const result = await insertDeclared(storage, [job], { setHash: 'a', workerId });
    assert.deepEqual(result.conflicts, [ref('job')]);
    assert.equal(await storage.syncedSet({ app, setHash: 'a', graceMs }), null);
    assert.equal((await storage.renew(workerId, minute, 0)).outOfSync, true);
  },

  'that is refused at the start has written nothing': async ({ storage }) => {
    await addRecurring(storage, { id: 'taken' });
    const old = await declared(storage, { payload: 'old' });
    const { workerId } = await carry(storage, 'before', {
      ids: ['job'],
      leaseMs: hour,
      plan: () => [{ kind: 'insert', job: old }],
    });
    const [before, workers] = [await storage.queryJobs({}, {}), await storage.queryWorkers()];
    const worker = { ...only(workers, 'worker'), id: 'refused' };
    const jobs = await Promise.all(['new', 'taken'].map((id) => declared(storage, { id })));
    const changed = { ...old, payload: 'new' };
    const result = await sync(storage, {
      setHash: 'refused',
      ids: ['job', 'new', 'taken'],
      workerId: worker.id,
      registration: { worker, leaseMs: hour },
      plan: (stored) => [
        { kind: 'update', uid: only(stored, 'stored definition').uid, job: changed, moveCursor: true },
        ...jobs.map((job) => ({ kind: 'insert', job }) as const),
      ],
    });
    assert.deepEqual(result, { status: 'refused', conflicts: [ref('taken')] });
    assert.deepEqual(await storage.queryJobs({}, {}), before);
    assert.deepEqual(await storage.queryWorkers(), workers);
    assert.equal((await storage.renew(workerId, hour, 0)).outOfSync, false);
    assert.deepEqual([...(await setsSeen(storage)).keys()].sort(), ['', 'job']);
  },

  'may take over jobs that it names of apps before it, or that have had no worker for the grace': async ({
    storage,
    clock,
  }) => {
    const jobs = await Promise.all(
      ['job', 'old', 'alone'].map((id) => declared(storage, { id, app: 'before' })),
    );
    const theirs = await carry(storage, 'theirs', {
      app: 'before',
      ids: ['job', 'old'],
      leaseMs: 9 * hour,
      plan: () => jobs.map((job) => ({ kind: 'insert', job })),
    });
    const declarations = [declaration('job'), declaration('new', { previousIds: ['old'] })];
    const seen = async (previousApps: string[]): Promise<string[]> => {
      let ids: string[] = [];
      await synced(storage, {
        declarations,
        previousApps,
        plan: (stored) => {
          ids = stored.map((job) => `${job.app}:${job.id}`);
          return [];
        },
      });
      return ids.sort();
    };
    assert.deepEqual(await seen([]), []);
    assert.deepEqual(await seen(['before']), ['before:job', 'before:old']);
    await storage.unregister(theirs.workerId);
    await clock.advance(9 * minute);
    assert.deepEqual(await seen([]), []);
    await clock.advance(2 * minute);
    assert.deepEqual(await seen([]), ['before:job', 'before:old']);
  },

  'gets a job of another app by an id that it had before, when it may have it': async ({
    storage,
    clock,
  }) => {
    const job = await declared(storage, { id: 'b', app: 'before' });
    const ours = await declared(storage, { id: 'a' });
    await insertDeclared(storage, [ours]);
    const rename = { ...job, id: 'b', app: 'before' };
    const theirs = await carry(storage, 'theirs', {
      app: 'before',
      ids: ['b'],
      previousApps: [app],
      declarations: [declaration('b', { previousIds: ['a'] })],
      leaseMs: hour,
      plan: (stored) => [{ kind: 'update', uid: only(stored, 'job').uid, job: rename, moveCursor: false }],
    });
    const seen = async (): Promise<string[]> => {
      let found: string[] = [];
      await synced(storage, {
        ids: ['a'],
        plan: (stored) => {
          found = stored.map((each) => `${each.app}:${each.id}`);
          return [];
        },
      });
      return found;
    };
    assert.deepEqual(await seen(), []);
    await storage.unregister(theirs.workerId);
    assert.deepEqual(await seen(), []);
    await clock.advance(graceMs + minute);
    assert.deepEqual(await seen(), ['before:b']);
  },

  'that takes over a job has it from then on, with its history': async ({ storage }) => {
    const job = await declared(storage, { app: 'before' });
    const theirs = await carry(storage, 'theirs', {
      app: 'before',
      ids: ['job'],
      leaseMs: hour,
      plan: () => [{ kind: 'insert', job }],
    });
    const { createdAt, nextRunAt } = await jobOf(storage);
    assert.equal((await storage.renew(theirs.workerId, hour, 0)).outOfSync, false);
    const mine = { ...job, app, payload: 'mine' };
    await changeStored(storage, (uid) => ({ kind: 'update', uid, job: mine, moveCursor: false }), {
      ids: ['job'],
      previousApps: ['before'],
    });
    const taken = await jobOf(storage);
    assert.deepEqual([taken.app, taken.payload], [app, 'mine']);
    assert.deepEqual([taken.createdAt, taken.nextRunAt], [createdAt, nextRunAt]);
    let isTold = false;
    for (let beat = 0; beat < 3; beat++) {
      isTold ||= (await storage.renew(theirs.workerId, hour, 0)).outOfSync;
    }
    assert.ok(isTold, 'The other app is told by the third renewal.');
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }), {
      app: 'before',
      ids: ['job'],
      previousApps: [app],
    });
    assert.equal((await jobOf(storage)).app, 'before');
  },

  'finds an id taken that workers of another app have renamed, until these are gone for good': async ({
    storage,
    clock,
  }) => {
    const job = await declared(storage, { id: 'a', app: 'before' });
    const insert = (given: Partial<NewJob> = {}) => [{ kind: 'insert', job: { ...job, ...given } } as const];
    const before = { app: 'before', ids: ['a'], leaseMs: hour };
    const theirs = await carry(storage, 'theirs', { ...before, plan: () => insert() });
    const { workerId } = await carry(storage, 'mine', {
      declarations: [declaration('b', { previousIds: ['a'] })],
      previousApps: ['before'],
      leaseMs: hour,
      plan: (stored) => {
        const { uid } = only(stored, 'stored definition');
        return [{ kind: 'update', uid, job: { ...job, app, id: 'b' }, moveCursor: false }];
      },
    });
    const again = (given: Partial<NewJob> = {}): Promise<SyncResult> =>
      sync(storage, { ...before, workerId: theirs.workerId, plan: () => insert(given) });
    assert.deepEqual((await again()).conflicts, [ref('a')]);
    assert.equal(await storage.getJob(ref('a')), null);
    const refused = carry(storage, 'more of theirs', { ...before, plan: () => insert() });
    await assert.rejects(refused, 'A start is refused.');
    assert.deepEqual((await again({ handler: 'other' })).conflicts, [], 'Another method may have it.');
    await storage.deleteJob(ref('a'));
    await storage.unregister(workerId);
    assert.deepEqual((await again()).conflicts, [ref('a')], 'They may be about to come back.');
    await clock.advance(graceMs + minute);
    assert.deepEqual((await again()).conflicts, [], 'Nobody says so any more.');
    assert.equal((await jobOf(storage, 'a')).app, 'before');
  },

  'tells which ids a job had, and forgets those after one that comes back': async ({ storage }) => {
    const job = await declared(storage, { id: 'a' });
    await insertDeclared(storage, [job]);
    const ids = async (): Promise<readonly string[]> => {
      let had: readonly string[] = [];
      await synced(storage, {
        plan: (stored) => {
          had = stored[0].previousIds;
          return [];
        },
      });
      return had;
    };
    const rename = (id: string): Promise<unknown> =>
      changeStored(storage, (uid) => ({ kind: 'update', uid, job: { ...job, id }, moveCursor: false }));
    for (const [id, had] of [
      ['b', ['a']],
      ['c', ['a', 'b']],
      ['b', ['a']],
      ['a', []],
    ] as const) {
      await rename(id);
      assert.deepEqual(await ids(), had);
    }
  },

  'of eight workers that start at once is one': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const results = await eightAtOnce(adapters, (adapter) => carry(adapter, 'a', { ids: ['job'] }));
    assert.equal(new Set(results.map((result) => result.generation)).size, 1);
    assert.deepEqual([...(await setsSeen(storage)).keys()].sort(), ['', 'job']);
    assert.equal((await storage.queryWorkers()).length, 8);
  },
});
