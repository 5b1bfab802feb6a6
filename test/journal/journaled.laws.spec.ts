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
import { EverRarer } from '../support/ever.rarer.js';
import { assertSame } from '../support/file.subject.js';
import { MemoryJournal } from '../support/memory.journal.js';

/** So much JSON is compared after each write of a law; what more there is makes it compare every second write, then every third … */
const comparedEachTime = 100_000;

/** A journal that after writes compares what it has with all that there is: a change that nobody has noted shows there, whatever call it was, and also later. The last one is always compared. */
class ComparedJournal extends MemoryJournal {
  tables: JournaledTables | null = null;
  private readonly comparing = new EverRarer(comparedEachTime);
  private isCompared = true;

  override async write(batch: Parameters<MemoryJournal['write']>[0]): Promise<void> {
    this.isCompared = this.comparing.isDue();
    const everything = this.isCompared ? JSON.stringify([...batch.everything()]) : null;
    await super.write(batch);
    if (everything !== null) this.compare(everything);
  }

  override async close(): Promise<void> {
    if (!this.isCompared) this.compare(JSON.stringify([...this.tables!.everything()]));
    await super.close();
  }

  private compare(everything: string): void {
    this.comparing.took(everything.length);
    const whole = noRows();
    apply(whole, JSON.parse(everything));
    assertSame(this.rows, whole);
    const back = new JournaledTables(100_000);
    back.replaceBy(this.recover());
    expect(contentOf(back)).toEqual(contentOf(this.tables!));
  }
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
