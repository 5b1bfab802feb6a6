import assert from 'node:assert/strict';
import type { BulkActionStorage, BulkProgress, NewBulkAction, StorageAdapter } from '../../index.js';
import { lawsOf, type Law } from '../law.js';
import { day, hour, pruneAll, second } from './fixture.js';

type Check = (store: BulkActionStorage, subject: Parameters<Law['check']>[0]) => Promise<void>;

const order = {
  ...{ id: 'a', tenant: null, action: 'pause', filter: { queue: 'mails', state: ['due', "o'k"] } },
  ...{ expected: 3_000_000_000, asked: 'sum', actor: 'amy', owner: 'one' },
};
const halfway: BulkProgress = { state: 'running', matched: 200, changed: 150, failed: [], problem: null };
const leaseMs = 30 * second;

const begin = (store: BulkActionStorage, given: Partial<NewBulkAction> = {}) =>
  store.begin({ ...order, ...given }, leaseMs);
const stateOf = async (store: BulkActionStorage, id = 'a') => (await store.get(id))?.state ?? null;

/** Of storages that keep changes of many; the others are in order. */
const ofStore =
  (check: Check): Law['check'] =>
  async (subject) => {
    const { bulkActions }: Pick<StorageAdapter, 'bulkActions'> = subject.storage;
    if (bulkActions !== undefined) await check(bulkActions, subject);
  };

export const bulkActionLaws = lawsOf('changes of many that are told of', {
  'are begun once by one id, whoever tries': ofStore(async (store, { storage }) => {
    const now = await storage.now();
    const tries = await Promise.all(['one', 'two', 'three'].map((owner) => begin(store, { owner })));
    assert.equal(tries.filter(({ begun }) => begun).length, 1);
    const { owner: _, ...asked } = order;
    const stored = {
      ...asked,
      ...{ state: 'running', matched: 0, changed: 0, failed: [], problem: null },
      ...{ abortRequested: false, createdAt: now, endedAt: null },
    };
    for (const { action } of tries) assert.deepEqual(action, stored);
    assert.deepEqual(await store.get('a'), stored);
    assert.equal(await store.get('b'), null);
  }),

  'tell how far they are, and what they came to': ofStore(async (store, { storage, clock }) => {
    await begin(store);
    await clock.advance(second);
    assert.deepEqual(await store.report('a', 'one', halfway, leaseMs), await store.get('a'));
    const { matched, changed, state } = (await store.get('a'))!;
    assert.deepEqual({ matched, changed, state }, { matched: 200, changed: 150, state: 'running' });
    const end: BulkProgress = {
      ...{ state: 'failed', matched: 300, changed: 299 },
      failed: [{ id: 'x', problem: { status: 409 } }],
      problem: { status: 503 },
    };
    const ended = await store.report('a', 'one', end, leaseMs);
    assert.deepEqual(ended, { ...(await store.get('a'))!, ...end, endedAt: await storage.now() });
    // The end stands.
    assert.equal(await store.report('a', 'one', halfway, leaseMs), null);
    assert.equal(await stateOf(store), 'failed');
  }),

  'are told of by their owner alone': ofStore(async (store) => {
    await begin(store);
    assert.equal(await store.report('a', 'two', { ...halfway, state: 'done' }, leaseMs), null);
    assert.equal(await store.report('b', 'one', halfway, leaseMs), null);
    assert.equal(await stateOf(store), 'running');
  }),

  'are interrupted when their owner is silent, and stay so': ofStore(async (store, { storage, clock }) => {
    await begin(store);
    await clock.advance(20 * second);
    await store.report('a', 'one', halfway, leaseMs);
    await clock.advance(20 * second);
    assert.equal(await stateOf(store), 'running');
    await clock.advance(10 * second);
    const told = (await store.get('a'))!;
    assert.deepEqual([told.state, told.matched, told.endedAt], ['interrupted', 200, await storage.now()]);
    assert.deepEqual(await store.list(null, 10), [told]);
    await clock.advance(second);
    // It was alive: what it has done meanwhile is told, and that it has to end.
    const late = await store.report('a', 'one', { ...halfway, matched: 300 }, leaseMs);
    assert.deepEqual([late!.state, late!.matched], ['interrupted', 300]);
    assert.equal(await store.report('a', 'one', halfway, leaseMs), null);
    assert.equal(await stateOf(store), 'interrupted');
    assert.equal((await begin(store)).begun, false);
  }),

  'are ended by anybody, through their owner': ofStore(async (store) => {
    await begin(store);
    assert.equal((await store.requestAbort('a'))!.abortRequested, true);
    const heard = (await store.report('a', 'one', halfway, leaseMs))!;
    assert.deepEqual([heard.abortRequested, heard.state], [true, 'running']);
    await store.report('a', 'one', { ...halfway, state: 'aborted' }, leaseMs);
    assert.equal(await stateOf(store), 'aborted');
    await begin(store, { id: 'b' });
    await store.report('b', 'one', { ...halfway, state: 'done' }, leaseMs);
    const over = (await store.requestAbort('b'))!;
    assert.deepEqual([over.abortRequested, over.state], [false, 'done']);
    assert.equal(await store.requestAbort('c'), null);
  }),

  'are listed from the newest on, of one tenant or of all': ofStore(async (store, { clock }) => {
    for (const [id, tenant] of [
      ['a', null],
      ['b', 'acme'],
      ['c', 'globex'],
      ['d', 'acme'],
    ] as const) {
      await begin(store, { id, tenant });
      await clock.advance(second);
    }
    const ids = async (tenant: string | null, limit = 10) =>
      (await store.list(tenant, limit)).map(({ id }) => id);
    assert.deepEqual(await ids(null), ['d', 'c', 'b', 'a']);
    assert.deepEqual(await ids(null, 2), ['d', 'c']);
    assert.deepEqual(await ids('acme'), ['d', 'b']);
    assert.deepEqual(await ids('nobody'), []);
  }),

  'are forgotten after thirty days, unless they go on': ofStore(async (store, { storage, clock }) => {
    await begin(store, { id: 'old' });
    await store.report('old', 'one', { ...halfway, state: 'done' }, leaseMs);
    await begin(store, { id: 'long' });
    await store.report('long', 'one', halfway, 31 * day);
    await begin(store, { id: 'lost' });
    await clock.advance(30 * day - hour);
    await begin(store, { id: 'new' });
    await pruneAll(storage, {}, day);
    const ids = async () => (await store.list(null, 10)).map(({ id }) => id).toSorted();
    assert.deepEqual(await ids(), ['long', 'lost', 'new', 'old']);
    await clock.advance(2 * hour);
    await pruneAll(storage, {}, day);
    assert.deepEqual(await ids(), ['long', 'new']);
  }),
});
