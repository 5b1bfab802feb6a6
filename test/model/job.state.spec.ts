import { describe, expect, test } from 'vitest';
import {
  oneOffState,
  recurringState,
  type OneOffFacts,
  type RecurringFacts,
} from '../../lib/model/job.state.js';

const recurring = (facts: Partial<RecurringFacts>): string =>
  recurringState({
    triggerType: 'cron',
    orphaned: false,
    paused: false,
    stopped: false,
    claimed: false,
    waits: false,
    hasCursor: false,
    finishedAttempts: 0,
    lastVerdict: null,
    ...facts,
  });

const oneOff = (facts: Partial<OneOffFacts>): string =>
  oneOffState({
    verdict: null,
    claimed: false,
    held: false,
    stopped: false,
    waitsForJobs: false,
    attempt: 0,
    ...facts,
  });

describe('the state of a recurring job', () => {
  test.each<[string, Partial<RecurringFacts>]>([
    ['orphaned', { orphaned: true, paused: true, claimed: true, hasCursor: true }],
    ['paused', { paused: true, claimed: true }],
    ['running', { claimed: true, hasCursor: true }],
    ['running', { claimed: true }],
    ['pending', { hasCursor: true }],
    ['pending', { waits: true }],
    ['pending', { triggerType: 'manual' }],
    ['scheduled', { hasCursor: true, finishedAttempts: 1 }],
    ['scheduled', { waits: true, finishedAttempts: 1 }],
    ['scheduled', { triggerType: 'manual', finishedAttempts: 1 }],
    ['completed', {}],
    ['completed', { finishedAttempts: 1 }],
    ['paused', { stopped: true, hasCursor: true }],
    ['paused', { stopped: true, triggerType: 'manual', finishedAttempts: 1 }],
    ['running', { stopped: true, claimed: true, hasCursor: true }],
    ['completed', { stopped: true }],
    ['completed', { lastVerdict: 'failed' }],
    ['completed', { triggerType: 'at' }],
    ['completed', { triggerType: 'at', lastVerdict: 'succeeded' }],
    ['failed', { triggerType: 'at', lastVerdict: 'failed' }],
    ['failed', { triggerType: 'at', lastVerdict: 'timed_out', stopped: true }],
    ['failed', { triggerType: 'at', lastVerdict: 'lost' }],
    ['cancelled', { triggerType: 'at', lastVerdict: 'cancelled' }],
    ['scheduled', { triggerType: 'at', lastVerdict: 'failed', waits: true, finishedAttempts: 1 }],
    ['orphaned', { triggerType: 'at', lastVerdict: 'failed', orphaned: true }],
    ['orphaned', { stopped: true, orphaned: true }],
  ])('is %s for %j', (state, facts) => {
    expect(recurring(facts)).toBe(state);
  });
});

describe('the state of a one-off', () => {
  test.each<[string, Partial<OneOffFacts>]>([
    ['completed', { verdict: 'succeeded', attempt: 1 }],
    ['failed', { verdict: 'failed', attempt: 1 }],
    ['failed', { verdict: 'timed_out', attempt: 1 }],
    ['failed', { verdict: 'lost', attempt: 1 }],
    ['cancelled', { verdict: 'cancelled' }],
    ['running', { claimed: true, held: false, attempt: 1 }],
    ['paused', { held: true }],
    ['paused', { held: true, attempt: 2 }],
    ['paused', { stopped: true }],
    ['running', { stopped: true, claimed: true, attempt: 1 }],
    ['failed', { stopped: true, verdict: 'failed', attempt: 1 }],
    ['pending', {}],
    ['scheduled', { attempt: 1 }],
    ['waiting', { waitsForJobs: true }],
    ['paused', { waitsForJobs: true, held: true }],
    ['cancelled', { waitsForJobs: true, verdict: 'cancelled' }],
  ])('is %s for %j', (state, facts) => {
    expect(oneOff(facts)).toBe(state);
  });
});
