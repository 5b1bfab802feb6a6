import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { workflowSchema } from '../../lib/index.js';
import { plannedStep } from '../../lib/workflows/planned.step.js';
import { planOf } from '../../lib/workflows/workflow.plan.js';

const ajv = new Ajv2020({ strict: false, allErrors: true });
const fits = ajv.compile(workflowSchema);

const takes = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch {
    return false;
  }
};

const duration = fc.constantFrom(
  0,
  5,
  -1,
  1.5,
  '5m',
  '',
  { minutes: 5 },
  {},
  { minutes: -1 },
  { moons: 1 },
  null,
  true,
);
const words = (...some: unknown[]): fc.Arbitrary<unknown> => fc.constantFrom(...some);
/** Right and wrong values of each option; what several steps have to do with each other is not among them. */
const step = fc.record(
  {
    name: words('a', 'Ä-1_$', '', 'a b', 'a/b', 'a.b', 'x'.repeat(100), 'x'.repeat(101), 7, null),
    handler: words('send', '', ' ', 'a\nb', 'x'.repeat(256), 7),
    workflow: words('billing', '', 'x'.repeat(151)),
    manual: words(true, false, 'yes'),
    map: words(true, false, 1),
    after: words(
      'b',
      ['b'],
      ['b', { step: 'c', order: true }],
      [{ step: 'c' }],
      [7],
      [{ step: 'c', order: true, x: 1 }],
      7,
      null,
    ),
    need: words('all', 'any', 'some', 1, 0, 1.5),
    otherwise: words('block', 'cancel', 'run', 'wait'),
    delay: duration,
    allowFailure: words(true, 'no'),
    timeout: words(5, '5m', null, true, ''),
    payload: words(null, 1, { a: [1] }),
    queue: words('slow', '', 'x'.repeat(101)),
    priority: words(0, 9, 10, 1.5, 'high', 'High', 'urgent'),
    maxRetries: words(0, 3, -1, 1.5, '3', 1_000_001),
    backoff: words(
      5,
      '5m',
      [1, '2s'],
      [],
      { type: 'fixed', delay: 1 },
      { type: 'linear', delay: 1, max: '5m' },
      { type: 'exponential', delayMs: 1, jitter: true },
      { type: 'fixed', delay: 1, max: 2 },
      { type: 'fixed' },
      { type: 'odd', delay: 1 },
    ),
    recovery: words('rerun', 'abandon', 'retry'),
    maxLost: words(1, 0, '1'),
    more: words(1),
  },
  { requiredKeys: ['name'] },
);

test('the JSON Schema and the validation agree on what a step may say', () => {
  let accepted = 0;
  const agrees = (given: Record<string, unknown>): void => {
    const isTaken = takes(() => plannedStep('order', given as never));
    const isFitting = fits({ name: 'order', steps: [given] });
    if (isTaken) accepted++;
    expect(isFitting, `${JSON.stringify(given)} ${ajv.errorsText(fits.errors)}`).toBe(isTaken);
  };
  fc.assert(
    fc.property(step, (given) => {
      // The number of parents is what the schema cannot count.
      fc.pre(given.need !== 1 || given.after !== undefined);
      agrees(given);
      // By itself each option is right or wrong as well.
      for (const [key, value] of Object.entries(given)) {
        const needsParents = key === 'need' || key === 'otherwise' || key === 'map';
        if (key !== 'name') agrees({ name: 'a', ...(needsParents ? { after: 'b' } : {}), [key]: value });
      }
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(1_000);
});

test('the JSON Schema and the validation agree on what a workflow may say', () => {
  for (const [definition, is] of [
    [{ name: 'order', steps: [] }, true],
    [{ name: 'order', steps: [], timeout: '7d' }, true],
    [{ name: 'order', steps: [], timeout: null }, true],
    [{ name: '', steps: [] }, false],
    [{ name: 'x'.repeat(151), steps: [] }, false],
    [{ name: 'order' }, false],
    [{ steps: [] }, false],
    [{ name: 'order', steps: {} }, false],
    [{ name: 'order', steps: [], timeout: true }, false],
    [{ name: 'order', steps: [], cron: '* * * * *' }, false],
    [[], false],
    [null, false],
  ] as const) {
    expect([fits(definition), takes(() => planOf(definition as never))], JSON.stringify(definition)).toEqual([
      is,
      is,
    ]);
  }
});
