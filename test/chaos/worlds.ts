import { faults } from './faults/catalog.js';
import type { WorldName } from './faults/fault.js';

/** How many parts of the time each gets. */
const shares: Readonly<Record<WorldName, number>> = { steady: 3, failover: 1, lossy: 1, clock: 1 };
const leastSeconds = 8;

export interface WorldPlan {
  name: WorldName;
  seconds: number;
  /** The faults that are done in it. */
  faults: string[];
}

/** The worlds that these faults need, each with those that can be done in it; some need a server of another kind than others. Without any fault: one quiet world. */
export function planWorlds(kinds: readonly string[], seconds: number): WorldPlan[] {
  const names = (Object.keys(shares) as WorldName[]).filter((name) =>
    kinds.some((kind) => faults[kind]!.world === name),
  );
  if (names.length === 0) names.push('steady');
  const parts = names.reduce((sum, name) => sum + shares[name], 0);
  return names.map((name) => ({
    name,
    seconds:
      names.length === 1 ? seconds : Math.max(leastSeconds, Math.round((seconds * shares[name]) / parts)),
    faults: kinds.filter((kind) => ['any', name].includes(faults[kind]!.world)),
  }));
}

/** A sentence for each of these faults that cannot be done on this machine. */
export function missingFaults(kinds: readonly string[]): Map<string, string> {
  const missing = new Map<string, string>();
  for (const kind of kinds) {
    const why = faults[kind]!.missing?.() ?? null;
    if (why !== null) missing.set(kind, why);
  }
  return missing;
}
