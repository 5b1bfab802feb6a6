import type { Stage } from '../stage/stage.js';

/** One thing that happens. */
export interface Step {
  says: string;
  play(stage: Stage): Promise<void>;
  /** Time has to leap for it, as all are down. */
  leaps?: boolean;
}

/** A story of deploys: what happens, and what is expected of the jobs. */
export interface Scenario {
  name: string;
  steps: readonly Step[];
  /** The rule decides in it about what other scenarios show of the storage already: it is played in simulated time only. */
  isVariation: boolean;
}

export function scenario(name: string, ...steps: Step[]): Scenario {
  return { name, steps, isVariation: false };
}

/** One that is played in simulated time only. */
export function variation(name: string, ...steps: Step[]): Scenario {
  return { name, steps, isVariation: true };
}

export function storyOf({ steps }: Scenario): string {
  return steps
    .map(({ says }) => says)
    .filter((says) => says !== '')
    .join(' · ');
}
