import { describe, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { lockLaws, ManualClock, runLaw, storageLaws, type LockSubject } from '../../lib/testing/index.js';
import { memorySubject } from '../support/memory.subject.js';

function lockSubject(): LockSubject {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  return {
    lock: storage.lock,
    open: async () => storage.open().lock,
    clock: { advance: (ms) => clock.advanceBy(ms), setBack: (ms) => clock.jumpWall(-ms) },
    close: () => storage.close(),
  };
}

describe('the memory storage keeps the laws', () => {
  for (const law of storageLaws()) test(law.name, () => runLaw(law, memorySubject));
});

describe('the memory lock keeps the laws', () => {
  for (const law of lockLaws()) test(law.name, () => runLaw(law, lockSubject));
});
