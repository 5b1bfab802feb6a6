import type { NewFlowStep } from '../../lib/index.js';
import { minute } from '../../lib/testing/laws/fixture.js';
import { step as plainStep } from '../../lib/testing/laws/flow.fixture.js';
import type { SeededRandom } from '../simulation/seeded.random.js';

/** A graph without cycles: parents come before their children. */
export function randomSteps(random: SeededRandom, most: number): NewFlowStep[] {
  const names = Array.from({ length: 1 + below(random, most) }, (_, nth) => `s${nth}`);
  return names.map((name, nth) => randomStep(random, name, names.slice(0, nth)));
}

/** After some of those that were there before it. */
export function randomStep(random: SeededRandom, name: string, earlier: readonly string[]): NewFlowStep {
  const count = Math.min(earlier.length, below(random, 5));
  const parents = new Set(Array.from({ length: count }, () => random.pick(earlier.slice(-12))));
  const map = parents.size > 0 && random.chance(0.2);
  const after = [...parents].map((parent, nth) => ({ parent, data: !map || nth === 0 }));
  const policies = random.pick([
    {},
    {},
    { recovery: 'abandon' },
    { maxLost: 1 },
  ] as NewFlowStep['policies'][]);
  return plainStep(name, [], {
    after,
    need: after.length === 0 || random.chance(0.6) ? after.length : 1 + below(random, after.length),
    otherwise: random.pick(['block', 'cancel', 'run', 'run']),
    allowFailure: random.chance(0.2),
    map,
    policies,
    ...(random.chance(0.1) && { delayMs: minute }),
    ...(random.chance(0.05) && { kind: 'manual', policies: {} }),
  });
}

/** A whole number from 0. */
export function below(random: SeededRandom, limit: number): number {
  return random.between(0, limit - 1);
}
