import { expect, test } from 'vitest';
import { memorySubject } from '../support/memory.subject.js';
import { runRandomWaits, type SeenWaits } from '../support/random.waits.js';

async function check(seeds: readonly number[], seen: SeenWaits): Promise<void> {
  for (const seed of seeds) {
    const subject = memorySubject();
    await runRandomWaits(subject, seed, seen);
    await subject.close();
  }
}

test('jobs that wait for each other come to what a model of them says, whatever becomes of them', async () => {
  const seen: SeenWaits = new Map();
  await check(
    Array.from({ length: 40 }, (_, nth) => nth + 1),
    seen,
  );
  const kinds = [...Array.from({ length: 10 }, (_, way) => `end ${way}`), 'claimed', 'refused', 'added'];
  kinds.push(
    'released null',
    'released lost',
    'cancel asked',
    'retried',
    'run again',
    'discarded',
    'deleted',
  );
  kinds.push('run now', 'paused waiting', 'resumed waiting', 'paused ready', 'resumed ready');
  for (const state of ['waiting', 'ready'])
    for (const way of ['cancel', 'delete', 'delete many']) kinds.push(`${way} of ${state}`);
  expect(kinds.filter((kind) => !seen.has(kind))).toEqual([]);
});

test('jobs that wait for each other, of seeds that nobody has tried yet', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  await check(
    Array.from({ length: 8 }, (_, nth) => first + nth),
    new Map(),
  );
});
