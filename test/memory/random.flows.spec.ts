import { expect, test } from 'vitest';
import { runRandomFlow, type Seen } from '../support/random.flows.js';
import { memorySubject } from '../support/memory.subject.js';

async function check(seeds: readonly number[], seen: Seen): Promise<void> {
  for (const seed of seeds) {
    const subject = memorySubject();
    await runRandomFlow(subject, seed, {}, seen);
    await subject.close();
  }
}

test('random graphs come to what a model of them says, whatever becomes of their steps', async () => {
  const seen: Seen = new Map();
  await check(
    // In the last one a step is lost that was to be cancelled.
    [...Array.from({ length: 30 }, (_, nth) => nth + 1), 57],
    seen,
  );
  const kinds = [...Array.from({ length: 20 }, (_, way) => `end ${way}`), 'claimed', 'manual', 'refused'];
  kinds.push('released null', 'released lost', 'released cancelled', 'cancel requested', 'cancel cancelled');
  kinds.push('retried', 'succeeded', 'failed', 'cancelled');
  expect(kinds.filter((kind) => !seen.has(kind))).toEqual([]);
});

test('random graphs of seeds that nobody has tried yet', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  await check(
    Array.from({ length: 5 }, (_, nth) => first + nth),
    new Map(),
  );
});
