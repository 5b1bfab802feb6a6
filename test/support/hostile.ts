import fc from 'fast-check';

const thrower = (): never => {
  throw new Error('hostile');
};

/** Throws whatever is done with it. */
const trap = new Proxy(function trapped() {}, {
  ...Object.fromEntries(
    Object.getOwnPropertyNames(Reflect)
      .filter((name) => typeof Reflect.get(Reflect, name) === 'function')
      .map((name) => [name, thrower]),
  ),
});

const revoked = ((): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

const waits = 'thenable'.slice(0, 4);

/** Waits like a promise. */
function thenable(
  then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void,
): object {
  return { [waits]: then };
}

/** What a property of an error, or of a result, may be. */
const oddProperty = fc.constantFrom<() => unknown>(
  () => undefined,
  () => null,
  () => 12,
  () => [],
  () => ['a', 'b'],
  () => ({}),
  () => Symbol('odd'),
  () => trap,
  () => revoked,
  () => '\0 and \uD800',
  () => thrower,
  () => 10n,
);

type Change = (target: object) => void;

const errorKeys = ['stack', 'message', 'name', 'cause', 'delay', 'toString', 'toJSON', 'constructor', 'then'];
const keys = fc.constantFrom<PropertyKey>(...errorKeys, Symbol.toPrimitive, Symbol.toStringTag);

/** Sets a property to something odd, or makes reading it throw. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(keys, oddProperty).map(([key, value]) => (target: object) => {
    Object.defineProperty(target, key, { value: value(), configurable: true, enumerable: true });
  }),
  keys.map((key) => (target: object) => {
    Object.defineProperty(target, key, { get: thrower, configurable: true, enumerable: true });
  }),
);

class Odd extends Error {}

const base = fc.constantFrom<() => object>(
  () => new Error('an error'),
  () => new Odd('one of a class'),
  () => new AggregateError([new Error('inside'), trap], 'several'),
  () => ({}),
  () => Object.create(null) as object,
  () => [],
  () => () => undefined,
  () => new Map([[trap, trap]]),
  () => Promise.resolve(1),
);

const changed = fc
  .tuple(base, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([make, changes]) => () => {
    const target = make();
    for (const apply of changes) apply(target);
    return target;
  });

const special = fc.constantFrom<() => unknown>(
  () => trap,
  () => revoked,
  () => undefined,
  () => null,
  () => Symbol('thrown'),
  () => 0n,
  () => Number.NaN,
  () => '',
  () => new Proxy({}, { getPrototypeOf: thrower }),
  () => {
    const cyclic = new Error('cyclic');
    cyclic.cause = cyclic;
    return cyclic;
  },
  () => thenable((resolve) => resolve(trap)),
  () => thenable((_, reject) => reject(trap)),
  () =>
    thenable((resolve) => {
      resolve(1);
      throw new Error('after all');
    }),
  () => ({ '@@observable': thrower }),
  () => ({ lift: 1, '@@observable': () => trap }),
  () => ({ lift: thrower, subscribe: thrower }),
  () => ({
    lift: thrower,
    subscribe: (observer: { error: (error: unknown) => unknown }) => (observer.error(trap), trap),
  }),
  () => ({ [Symbol.iterator]: thrower, next: thrower }),
  () => ({ [Symbol.iterator]: thrower, next: () => trap }),
  () => ({ [Symbol.asyncIterator]: thrower, next: () => ({ done: true, value: trap }), return: thrower }),
  () => ({ toJSON: thrower }),
  () => ({ toJSON: () => trap }),
);

/** Makes a value that code which looks at it has to be afraid of. */
export const hostileValue: fc.Arbitrary<() => unknown> = fc.oneof(
  { arbitrary: special, weight: 2 },
  { arbitrary: changed, weight: 4 },
  {
    arbitrary: fc
      .anything({
        withNullPrototype: true,
        withBigInt: true,
        withSparseArray: true,
        withMap: true,
        withDate: true,
      })
      .map((value) => () => value),
    weight: 1,
  },
);

/** Something that ends in a hostile way, by throwing, rejecting, or returning. */
export const hostileFunction: fc.Arbitrary<() => unknown> = fc
  .tuple(hostileValue, fc.constantFrom('throws', 'rejects', 'returns', 'resolves'))
  .map(([make, way]) => () => {
    const value = make();
    if (way === 'throws') throw value;
    if (way === 'rejects') return Promise.reject(value);
    if (way === 'returns') return value;
    return (async () => value)();
  });
