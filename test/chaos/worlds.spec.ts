import { describe, expect, test } from 'vitest';
import type { WorldName } from './faults/fault.js';
import { play, seed } from './short.form.js';
import { missingFaults } from './worlds.js';

/** Each world with the faults that were made for it and that no other short form does. */
const forms: readonly { world: WorldName; kinds: string[]; seconds: number }[] = [
  { world: 'steady', kinds: ['lock-dead', 'stop-at-commit'], seconds: 8 },
  { world: 'failover', kinds: ['failover'], seconds: 10 },
  { world: 'lossy', kinds: ['failover-lossy', 'crash-unflushed'], seconds: 15 },
  { world: 'clock', kinds: ['clock'], seconds: 15 },
];

describe.each(forms)('four processes in the world $world', ({ world, kinds, seconds }) => {
  const missing = [...missingFaults(kinds).values()];

  test.skipIf(missing.length > 0)(
    `nothing is forgotten, doubled, kept or given up under ${kinds.join(' and ')}${missing.map((why) => `: ${why}`).join('')}`,
    async () => {
      const { worlds, status, said } = await play(kinds, ['--seconds', `${seconds}`, '--every', '900,1300']);
      expect(Object.keys(worlds)).toEqual([world]);
      const { found, figures, faults } = worlds[world]!;
      expect({ seed, found }, said).toEqual({ seed, found: {} });
      expect(status).toBe(0);
      expect(figures['verdicts']).toBe(figures['runs']);
      const done = kinds.filter((kind) => faults[kind]! > 0);
      expect(done, said).toEqual(kinds);
    },
    600_000, // Only what hangs gets there.
  );
});
