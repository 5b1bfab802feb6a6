import { changeRules } from './change.rules.js';
import { clockRules } from './clock.rules.js';
import { executionRules } from './execution.rules.js';
import { progressRules } from './progress.rules.js';
import type { Rule } from './rule.js';

/** What is found by comparing the tables with what the workers, the manager and the faults wrote down. */
export const rules: readonly Rule[] = [...executionRules, ...progressRules, ...changeRules, ...clockRules];
