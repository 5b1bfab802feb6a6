import { describe, expect, test } from 'vitest';
import { noRows, apply } from '../../lib/journal/change.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import { JournaledTables } from '../../lib/journal/journaled.tables.js';
import {
  lockLaws,
  ManualClock,
  runLaw,
  storageLaws,
  type LockSubject,
  type StorageSubject,
} from '../../lib/testing/index.js';
import { takeSnapshot } from '../../lib/memory/snapshot.js';
import { MemoryJournal } from '../support/memory.journal.js';

/** So much JSON is compared after each write; after that of twice as much one is left out, and so on. */
const comparedEachTime = 200_000;
const mostLeftOut = 30;

/** A journal that after writes compares what it has with all that there is: a change that nobody has noted shows there, whatever call it was, and also later. */
class ComparedJournal extends MemoryJournal {
  private leftOut = 0;

  override async write(batch: Parameters<MemoryJournal['write']>[0]): Promise<void> {
    if (this.leftOut > 0) {
      this.leftOut--;
      return super.write(batch);
    }
    const whole = noRows();
    const text = JSON.stringify([...batch.everything()]);
    this.leftOut = Math.min(Math.floor(text.length / comparedEachTime), mostLeftOut);
    apply(whole, JSON.parse(text));
    await super.write(batch);
    expect(sorted(this.rows)).toEqual(sorted(whole));
    const back = new JournaledTables(100_000);
    back.replaceBy(this.recover());
    expect(contentOf(back)).toEqual(contentOf(this.tables!));
  }

  tables: JournaledTables | null = null;
}

function sorted(rows: object): unknown {
  return Object.entries(rows).map(([table, of]) => [table, inAnyOrder([...(of as Map<string, unknown>)])]);
}

/** But for the order of lists, and of fields. */
function contentOf(tables: JournaledTables): unknown {
  const { flows, ...rest } = JSON.parse(takeSnapshot(tables)) as Record<string, any>;
  return { ...(inAnyOrder(rest) as object), flows: flows.map(canonical).toSorted() };
}

function inAnyOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const keyed = value.map((each) => ({ each: inAnyOrder(each), key: canonical(each) }));
    return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ each }) => each);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inAnyOrder(each)]));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

async function subject(): Promise<StorageSubject> {
  const clock = new ManualClock();
  const journal = new ComparedJournal();
  const storage = JournaledStorage.on('memory', 'a file', journal, { clock });
  journal.tables = (storage as unknown as { tables: JournaledTables }).tables;
  await storage.init();
  return {
    storage,
    open: async () => {
      const other = storage.open();
      await other.init();
      return other;
    },
    clock: { advance: (ms) => clock.advanceBy(ms), setBack: (ms) => clock.jumpWall(-ms) },
    close: () => storage.close(),
  };
}

async function lockSubject(): Promise<LockSubject> {
  const { storage, open, ...rest } = await subject();
  return { lock: storage.lock, open: async () => (await open()).lock, ...rest };
}

describe('a journaled storage keeps the laws, and notes all that changes', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, subject));
});

describe('a journaled lock keeps the laws', () => {
  for (const law of lockLaws()) test(law.name, () => runLaw(law, lockSubject));
});
