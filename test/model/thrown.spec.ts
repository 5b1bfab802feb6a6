/* oxlint-disable unicorn/no-thenable -- odd ones are what this is about */
import { describe, expect, test } from 'vitest';
import { outcomeOf } from '../../lib/model/thrown.js';

/** What `outcomeOf` tells of this value. */
async function told(value: unknown): Promise<string> {
  const heard: string[] = [];
  await outcomeOf(
    value,
    (error) => heard.push(`rejected ${String((error as Error)?.message ?? error)}`),
    (result) => heard.push(`resolved ${String(result)}`),
  );
  return heard.join();
}

/** As promises that begin their work when somebody waits. */
class Lazy extends Promise<string> {
  override then: Promise<string>['then'] = (resolved, rejected) =>
    Promise.resolve('later').then(resolved, rejected);
}

const odd = (properties: PropertyDescriptorMap): Promise<unknown> =>
  Object.defineProperties(Promise.resolve('done'), properties);
const throwing: PropertyDescriptor = {
  get() {
    throw new Error('not to be looked at');
  },
};

describe('the outcome of anything', () => {
  const cases: [string, () => unknown, string][] = [
    ['a value', () => 7, 'resolved 7'],
    ['a promise', () => Promise.resolve('done'), 'resolved done'],
    ['a promise that rejects', () => Promise.reject(new Error('failed')), 'rejected failed'],
    ['a promise that has a then of its class', () => new Lazy(() => undefined), 'resolved later'],
    // As `await` does.
    ['a promise whose then is its own', () => odd({ then: { value: () => undefined } }), 'resolved done'],
    ['a promise whose then cannot be looked at', () => odd({ then: throwing }), 'resolved done'],
    [
      'a promise whose class cannot be looked at',
      () => odd({ constructor: throwing }),
      'rejected not to be looked at',
    ],
    [
      'something like a promise',
      () => ({ then: (done: (value: string) => void) => done('like') }),
      'resolved like',
    ],
    ['a promise by its looks only', () => Object.create(Promise.prototype) as unknown, 'rejected'],
    ['a proxy of a promise', () => new Proxy(Promise.resolve('done'), {}), 'rejected'],
  ];

  test.each(cases)('%s', async (_, value, outcome) => {
    expect(await told(value())).toMatch(new RegExp(`^${outcome}`));
  });
});
