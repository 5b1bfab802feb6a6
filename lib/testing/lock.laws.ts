import assert from 'node:assert/strict';
import type { Lock, LockAdapter } from '../index.js';
import { lawsOf, type Law, type LockSubject } from './law.js';
import { hour, minute, only, second } from './laws/fixture.js';

async function take(lock: LockAdapter, key: string, owner: string, ttlMs = minute): Promise<Lock> {
  const taken = await lock.acquire(key, owner, ttlMs);
  assert.ok(taken, `${owner} should have got the lock "${key}".`);
  return taken;
}

const checks = lawsOf<LockSubject>('lock', {
  'is had by one of eight concurrent callers on two adapters': async ({ lock, open }) => {
    const adapters = [lock, await open()];
    for (const key of ['a', 'b', 'c']) {
      const asked = Array.from({ length: 8 }, (_, index) =>
        adapters[index % 2].acquire(key, `owner-${index}`, minute),
      );
      const taken = only(
        (await Promise.all(asked)).filter((result) => result !== null),
        'holder',
      );
      assert.equal((await lock.inspect(key))?.owner, taken.owner);
    }
  },

  'tells its key, owner and fence': async ({ lock }) => {
    const { fence, ...rest } = await take(lock, 'key', 'me');
    assert.deepEqual(rest, { key: 'key', owner: 'me' });
    assert.ok(Number.isSafeInteger(fence));
  },

  'is refused to others while it is held, and free once released': async ({ lock, open }) => {
    const other = await open();
    const held = await take(lock, 'key', 'me');
    assert.equal(await other.acquire('key', 'you', minute), null);
    assert.equal(await lock.release(held), true);
    await take(other, 'key', 'you');
  },

  'is refused to others after the owner was refused nothing: keys are apart': async ({ lock }) => {
    for (const key of ['a', 'A', 'a ', 'ä', 'a/b', "a'b", '🔒']) await take(lock, key, `owner of ${key}`);
    assert.equal((await lock.inspect('a '))?.owner, 'owner of a ');
    assert.equal(await lock.acquire('🔒', 'you', minute), null);
  },

  'has a higher fence with every acquisition': async ({ lock, clock }) => {
    let last = (await take(lock, 'key', 'a')).fence;
    const takeHigher = async (owner: string): Promise<Lock> => {
      const taken = await take(lock, 'key', owner);
      assert.ok(taken.fence > last, 'The fence should have grown.');
      last = taken.fence;
      return taken;
    };
    await lock.reset('key');
    await lock.release(await takeHigher('b'));
    await takeHigher('c');
    await clock.advance(2 * minute);
    await takeHigher('d');
    await takeHigher('d');
  },

  'is had anew by the owner that asks again; the old one is void': async ({ lock }) => {
    const first = await take(lock, 'key', 'me');
    const second = await take(lock, 'key', 'me');
    assert.ok(second.fence > first.fence);
    assert.equal(await lock.extend(first, minute), false);
    assert.equal(await lock.release(first), false);
    assert.equal(await lock.extend(second, minute), true);
  },

  'is free when its lease has ended': async ({ lock, clock }) => {
    const held = await take(lock, 'key', 'me', minute);
    await clock.advance(50 * second);
    assert.equal(await lock.acquire('key', 'you', minute), null);
    await clock.advance(20 * second);
    assert.equal(await lock.inspect('key'), null);
    const taken = await take(lock, 'key', 'you');
    assert.ok(taken.fence > held.fence);
  },

  'is free after its time where the clock was ahead when it was taken': async ({ lock, clock }) => {
    if (!clock.setBack) return;
    const held = await take(lock, 'key', 'me', minute);
    clock.setBack(hour);
    assert.equal(await lock.acquire('key', 'you', second), null);
    await clock.advance(50 * second);
    assert.equal(await lock.acquire('key', 'you', second), null);
    assert.equal(await lock.extend(held, minute), true);
    await clock.advance(50 * second);
    assert.equal(await lock.acquire('key', 'you', second), null);
    await clock.advance(20 * second);
    const taken = await take(lock, 'key', 'you');
    assert.ok(taken.fence > held.fence);
  },

  'is held longer when it is extended, from now on': async ({ lock, clock }) => {
    const held = await take(lock, 'key', 'me', minute);
    for (let round = 0; round < 4; round++) {
      await clock.advance(40 * second);
      assert.equal(await lock.extend(held, minute), true);
      assert.equal(await lock.acquire('key', 'you', minute), null);
    }
    assert.equal(await lock.extend(held, second), true);
    await clock.advance(5 * second);
    await take(lock, 'key', 'you');
  },

  'is not extended once its lease has ended, taken or not': async ({ lock, clock }) => {
    const held = await take(lock, 'key', 'me', minute);
    await clock.advance(2 * minute);
    assert.equal(await lock.extend(held, minute), false);
    assert.equal(await lock.inspect('key'), null);
    await take(lock, 'key', 'you');
    assert.equal(await lock.extend(held, minute), false);
  },

  'is not released by a holder of before': async ({ lock, clock }) => {
    const held = await take(lock, 'key', 'me', minute);
    await clock.advance(2 * minute);
    const taken = await take(lock, 'key', 'you');
    assert.equal(await lock.release(held), false);
    assert.equal((await lock.inspect('key'))?.owner, 'you');
    assert.equal(await lock.release(taken), true);
    assert.equal(await lock.release(taken), false);
  },

  'can be freed by anybody, whoever holds it': async ({ lock, open }) => {
    const held = await take(lock, 'key', 'me');
    assert.equal(await (await open()).reset('key'), true);
    assert.equal(await lock.inspect('key'), null);
    assert.equal(await lock.extend(held, minute), false);
    assert.equal(await lock.reset('key'), false);
    assert.equal(await lock.reset('never taken'), false);
    await take(lock, 'key', 'you');
  },

  'shows who holds it, and until when': async ({ lock, open }) => {
    assert.equal(await lock.inspect('key'), null);
    const held = await take(lock, 'key', 'me', minute);
    const state = await (await open()).inspect('key');
    assert.ok(state);
    const { expiresAt, ...rest } = state;
    assert.deepEqual(rest, held);
    assert.equal(await lock.extend(held, 2 * minute), true);
    const later = (await lock.inspect('key'))!.expiresAt.getTime() - expiresAt.getTime();
    assert.ok(Math.abs(later - minute) < 5 * second, 'The extension should be seen.');
    await lock.release(held);
    assert.equal(await lock.inspect('key'), null);
  },

  'is extended or lost, never both, when the end comes': async ({ lock, open, clock }) => {
    const other = await open();
    for (let round = 0; round < 5; round++) {
      const held = await take(lock, `key-${round}`, 'me', minute);
      await clock.advance(2 * minute);
      const [extended, taken] = await Promise.all([
        lock.extend(held, minute),
        other.acquire(`key-${round}`, 'you', minute),
      ]);
      assert.equal(extended, false);
      assert.notEqual(taken, null);
    }
  },
});

/** What every lock promises; see `runLaw`. @publicApi */
export function lockLaws(): Law<LockSubject>[] {
  return [...checks];
}
