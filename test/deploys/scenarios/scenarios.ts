import type { Scenario } from '../language/scenario.js';
import { apps } from './apps.js';
import { canaries } from './canaries.js';
import { idleInstances } from './idle.js';
import { ids } from './ids.js';
import { outages } from './outages.js';
import { roles } from './roles.js';
import { rollouts } from './rollouts.js';

/** All of them. */
export const scenarios: readonly Scenario[] = [
  ...rollouts,
  ...canaries,
  ...roles,
  ...idleInstances,
  ...ids,
  ...apps,
  ...outages,
];
