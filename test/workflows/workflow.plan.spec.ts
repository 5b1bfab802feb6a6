import { describe, expect, test } from 'vitest';
import type { WorkflowDefinition, WorkflowStep } from '../../lib/index.js';
import { flowSteps } from '../../lib/workflows/planned.step.js';
import { planOf } from '../../lib/workflows/workflow.plan.js';

const of = (...steps: WorkflowStep[]): WorkflowDefinition => ({ name: 'order', steps });
const refusal = (definition: unknown): string => {
  try {
    planOf(definition as WorkflowDefinition);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

describe('a workflow as data', () => {
  test('is what is stored, with all that it leaves out', () => {
    const { name, timeoutMs, steps } = planOf({
      name: 'order',
      timeout: '7d',
      steps: [
        { name: 'ship', after: ['charge', { step: 'check', order: true }], need: 'any', delay: '5m' },
        { name: 'charge', maxRetries: 3, timeout: '10s', priority: 'high' },
        { name: 'check', manual: true, timeout: '2d' },
        { name: 'bill', workflow: 'billing', payload: { net: 1 }, after: 'ship', otherwise: 'run' },
      ],
    });
    expect([name, timeoutMs]).toEqual(['order', 604_800_000]);
    const [ship, charge, check, bill] = flowSteps(steps, { queue: 'slow', priority: 7 });
    expect(ship).toEqual({
      name: 'ship',
      after: [
        { parent: 'charge', data: true },
        { parent: 'check', data: false },
      ],
      need: 1,
      otherwise: 'block',
      delayMs: 300_000,
      allowFailure: false,
      map: false,
      kind: 'handler',
      deadlineMs: null,
      handler: 'order.ship',
      queue: 'slow',
      priority: 7,
      policies: {},
      payload: null,
    });
    expect(charge).toMatchObject({ need: 0, priority: 2, policies: { maxRetries: 3, timeoutMs: 10_000 } });
    expect(check).toMatchObject({ kind: 'manual', deadlineMs: 172_800_000, policies: {} });
    expect(bill).toMatchObject({ handler: 'billing', payload: { net: 1 }, need: 1, otherwise: 'run' });
  });

  test.each([
    [
      'a parent that is none',
      of({ name: 'charge' }, { name: 'ship', after: 'chrage' }),
      'step "ship": after names "chrage", which is no step of the workflow. Did you mean "charge"?',
    ],
    ['a step after itself', of({ name: 'ship', after: 'ship' }), 'which is the step itself'],
    ['two steps of a name', of({ name: 'ship' }, { name: 'ship' }), 'another step has this name'],
    [
      'a parent twice',
      of({ name: 'a' }, { name: 'b', after: ['a', { step: 'a', order: true }] }),
      'names "a" twice',
    ],
    ['a map of nothing', of({ name: 'a' }, { name: 'b', map: true }), 'has no list to go through'],
    [
      'a map of several lists',
      of({ name: 'a' }, { name: 'b' }, { name: 'c', after: ['a', 'b'], map: true }),
      'has several lists, of "a", "b"',
    ],
    [
      'a map that does not wait for its list',
      of(
        { name: 'a' },
        { name: 'b' },
        { name: 'c', after: ['a', { step: 'b', order: true }], map: true, need: 'any' },
      ),
      "must be 'all' for a map",
    ],
    [
      'a map with a payload',
      of({ name: 'a' }, { name: 'b', after: 'a', map: true, payload: 1 }),
      'each instance gets its item',
    ],
    [
      'more need than parents',
      of({ name: 'a' }, { name: 'b', after: 'a', need: 2 }),
      'a whole number from 1 to 1',
    ],
    ['need without parents', of({ name: 'a', need: 'any' }), 'is for a step with parents'],
    ['otherwise without parents', of({ name: 'a', otherwise: 'run' }), 'is for a step with parents'],
    [
      'a handler that is a workflow',
      of({ name: 'a', handler: 'x', workflow: 'y' }),
      'a handler or a workflow',
    ],
    [
      'retries of a manual step',
      of({ name: 'a', manual: true, maxRetries: 1 }),
      'maxRetries: is for a step that calls something',
    ],
    ['a name with a slash', of({ name: 'a/b' }), '1 to 100 letters'],
    ['an option that is none', of({ name: 'a', afer: 'b' } as never), 'Did you mean "after"?'],
    ['a delay that is none', of({ name: 'a', delay: 'soon' }), 'step "a": delay'],
    ['a condition', of({ name: 'a', when: () => true } as never), 'give it to @Step or to the builder'],
    ['a workflow without steps that are a list', { name: 'order', steps: {} }, 'steps must be a list'],
    ['a workflow without a name', { steps: [] }, 'name'],
    ['a step without a name', of({} as never), 'step "#1"'],
  ])('is refused with %s', (_, definition, message) => {
    const text = refusal(definition);
    expect(text).toMatch(/^The workflow /);
    expect(text).toContain(message);
  });

  test('names the way of a cycle', () => {
    const text = refusal(
      of(
        { name: 'a' },
        { name: 'b', after: ['a', 'd'] },
        { name: 'c', after: 'b' },
        { name: 'd', after: 'c' },
      ),
    );
    expect(text).toMatch(
      /waits for itself: ("b" → "c" → "d" → "b"|"c" → "d" → "b" → "c"|"d" → "b" → "c" → "d")\./,
    );
  });

  test('has its bounds', () => {
    const after = (n: number, parents: string[]): WorkflowStep[] =>
      Array.from({ length: n }, (_, i) => ({ name: `${parents[0] ?? 'r'}${i}`, after: parents }));
    expect(refusal(of({ name: 'a' }, ...after(10_000, ['a'])))).toBe('accepted');
    expect(refusal(of({ name: 'a' }, ...after(10_001, ['a'])))).toContain(
      'step "a": it has more than 10000 steps',
    );
    expect(refusal(of(...after(10_001, [])))).toContain('the workflow begins with more than 10000');
    const wide = after(1_000, []);
    const names = wide.map(({ name }) => name);
    const joins = (n: number): WorkflowStep[] =>
      Array.from({ length: n }, (_, i) => ({ name: `j${i}`, after: names }));
    expect(refusal(of(...wide, ...joins(100)))).toBe('accepted');
    expect(refusal(of(...wide, ...joins(101)))).toContain('more than 100000 edges');
  });

  test('may be a chain of 10,000 steps', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => ({
      name: `s${i}`,
      ...(i === 0 ? {} : { after: `s${i - 1}` }),
    }));
    expect(refusal(of(...chain.toReversed()))).toBe('accepted');
  });
});
