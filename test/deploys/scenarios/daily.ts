import { every } from '../language/schedules.js';
import { deploy } from '../language/steps.js';

// One job of one role, which each release runs more often.
export const v1 = { roles: { web: { daily: every(4) } } };
export const v2 = { roles: { web: { daily: every(3) } } };
export const v3 = { roles: { web: { daily: every(2) } } };

/** How most of them begin: two instances of the first. */
export const twoOfV1 = deploy('v1', { ...v1, replicas: 2 });
