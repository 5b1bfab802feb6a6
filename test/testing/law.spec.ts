import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import {
  lockLaws,
  ManualClock,
  runLaw,
  storageLaws,
  type Law,
  type StorageSubject,
} from '../../lib/testing/index.js';

/** A subject whose storage is broken in one method. */
function brokenSubject(broken: Partial<MemoryStorage>): () => StorageSubject {
  return () => {
    const clock = new ManualClock();
    const make = (storage: MemoryStorage): MemoryStorage => Object.assign(storage, broken);
    const storage = make(new MemoryStorage({ clock }));
    return {
      storage,
      open: async () => make(storage.open()),
      clock: { advance: (ms) => clock.advanceBy(ms) },
      close: () => storage.close(),
    };
  };
}

async function brokenLaws(broken: Partial<MemoryStorage>, topics: string[]): Promise<string[]> {
  const names: string[] = [];
  for (const law of storageLaws().filter(({ name }) =>
    topics.some((topic) => name.startsWith(`${topic}: `)),
  )) {
    await runLaw(law, brokenSubject(broken)).catch((error: unknown) => {
      expect(error).toBeInstanceOf(assert.AssertionError);
      names.push(law.name);
    });
  }
  return names;
}

describe('laws', () => {
  test('have names of their own', () => {
    const names = [...storageLaws(), ...lockLaws()].map((law) => law.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('notice a storage that gives no run back', async () => {
    expect(await brokenLaws({ giveBack: async () => ({ lost: [], left: [] }) }, ['give back'])).toEqual([
      'give back: makes an unstarted run due again, with a higher fence and the attempt of before',
      'give back: puts off what is given back with a delay, but does not bring it forward',
      'give back: ends what must not run twice as lost, also where no attempt was begun',
      'give back: ends what must not run twice as cancelled where that was asked for',
      'give back: passes over a stale fence',
      'give back: finds what was claimed by a call whose answer was lost',
    ]);
  });

  test('notice a storage that takes every settlement', async () => {
    const settle: MemoryStorage['settle'] = async (settlements) => ({
      accepted: settlements.map((item) => item.runId),
      locked: [],
    });
    expect((await brokenLaws({ settle }, ['settle', 'release', 'record'])).length).toBeGreaterThan(10);
  });

  test('notice a storage whose leases never end', async () => {
    const releaseLost: MemoryStorage['releaseLost'] = async () => ({
      now: 0,
      workers: [],
      runs: [],
      left: [],
    });
    expect((await brokenLaws({ releaseLost }, ['release'])).length).toBeGreaterThan(5);
  });
});

describe('runLaw', () => {
  const law = (check: Law['check']): Law => ({ name: 'a law', check });

  test('gives each law a subject of its own, and closes it', async () => {
    const closed: StorageSubject[] = [];
    const make = (): StorageSubject => {
      const subject = brokenSubject({})();
      return { ...subject, close: async () => void closed.push(subject) };
    };
    const seen: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      await runLaw(
        law(async ({ storage }) => void seen.push(storage)),
        make,
      );
    }
    expect(new Set(seen).size).toBe(2);
    expect(closed.length).toBe(2);
  });

  test('closes the subject of a law that was broken, and passes the error on', async () => {
    let closed = false;
    const make = (): StorageSubject => ({ ...brokenSubject({})(), close: async () => void (closed = true) });
    const broken = law(async () => assert.fail('broken'));
    await expect(runLaw(broken, make)).rejects.toThrow('broken');
    expect(closed).toBe(true);
  });
});
