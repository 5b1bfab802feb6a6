import { describe, expect, test } from 'vitest';
import type { WorldName } from './faults/fault.js';
import { play, seed } from './short.form.js';
import { missingFaults } from './worlds.js';

/** Plays a world with the faults that were made for it and that no other short form has. */
export function playsShortly(world: WorldName, kinds: string[], seconds: number): void {
  const missing = [...missingFaults(kinds).values()];

  describe(`four processes in the world ${world}`, () => {
    test.skipIf(missing.length > 0)(
      `nothing is forgotten, doubled, kept or given up under ${kinds.join(' and ')}${missing.map((why) => `: ${why}`).join('')}`,
      async () => {
        const { worlds, status, said } = await play(kinds, [
          '--seconds',
          `${seconds}`,
          '--every',
          '900,1300',
        ]);
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
}
