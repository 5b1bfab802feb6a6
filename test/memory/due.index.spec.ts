import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DueIndex } from '../../lib/memory/due.index.js';
import { Heap } from '../../lib/memory/heap.js';

const place = fc.record({
  app: fc.constantFrom('one', 'two', null),
  queue: fc.constantFrom('a', 'b'),
  handler: fc.constantFrom('x', 'y'),
  namespace: fc.constantFrom('m', 'n'),
  priority: fc.integer({ min: 0, max: 3 }),
});
const reach = fc.record({
  app: fc.constantFrom('one', 'two'),
  queues: fc.subarray(['a', 'b']),
  handlers: fc.subarray(['x', 'y', 'z']),
  isOpen: fc.subarray(['m', 'n']).map((open) => (namespace: string) => open.includes(namespace)),
});
type Reach = typeof reach extends fc.Arbitrary<infer T> ? T : never;
const step = fc.oneof(
  fc.record({ kind: fc.constant('set'), item: fc.nat(200), place, dueAt: fc.nat(50) }),
  fc.record({ kind: fc.constant('delete'), item: fc.nat(200) }),
  fc.record({ kind: fc.constantFrom('take', 'peek'), reach, until: fc.nat(50), limit: fc.nat(20) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
interface Known {
  item: object;
  place: { app: string | null; queue: string; handler: string; namespace: string; priority: number };
  dueAt: number;
  order: number;
}

/** The same as the index, the slow and obvious way. */
class Model {
  known: Known[] = [];
  private order = 0;

  set(item: object, at: Known['place'], dueAt: number): void {
    this.delete(item);
    this.known.push({ item, place: at, dueAt, order: this.order++ });
  }

  delete(item: object): void {
    this.known = this.known.filter((entry) => entry.item !== item);
  }

  peek({ app, queues, handlers, isOpen }: Reach, until: number, limit: number): object[] {
    return this.known
      .filter(
        ({ place: at, dueAt }) =>
          (at.app === null || at.app === app) &&
          queues.includes(at.queue) &&
          handlers.includes(at.handler) &&
          isOpen(at.namespace) &&
          dueAt <= until,
      )
      .sort((a, b) => a.place.priority - b.place.priority || a.dueAt - b.dueAt || a.order - b.order)
      .slice(0, limit)
      .map(({ item }) => item);
  }
}

describe('DueIndex', () => {
  test('does what a sorted list does', () => {
    const items = Array.from({ length: 201 }, (_, id) => ({ id }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps: Step[]) => {
        const index = new DueIndex<{ id: number }>();
        const model = new Model();
        for (const taken of steps) {
          if ('place' in taken) {
            index.set(items[taken.item], taken.place, taken.dueAt);
            model.set(items[taken.item], taken.place, taken.dueAt);
          } else if ('item' in taken) {
            index.delete(items[taken.item]);
            model.delete(items[taken.item]);
          } else {
            const expected = model.peek(taken.reach, taken.until, taken.limit);
            const found =
              taken.kind === 'take'
                ? index.take(taken.reach, taken.until, taken.limit)
                : index.peek(taken.reach, taken.until, taken.limit);
            expect(found).toEqual(expected);
            if (taken.kind === 'take') for (const item of expected) model.delete(item);
            const all = model.peek(taken.reach, Infinity, Infinity);
            const dues = model.known.filter(({ item }) => all.includes(item)).map(({ dueAt }) => dueAt);
            expect(index.earliest(taken.reach)).toBe(dues.length > 0 ? Math.min(...dues) : null);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('takes few out of many without comparing all of them', () => {
    const comparisonsAmong = (waiting: number): number => {
      let comparisons = 0;
      const index = new DueIndex<object>();
      for (let n = 0; n < waiting; n++) {
        // A time that counts how often it is looked at.
        const dueAt = { valueOf: () => (comparisons++, (n * 7_919) % waiting) } as unknown as number;
        index.set({}, { app: null, queue: 'a', handler: 'x', namespace: 'n', priority: n % 10 }, dueAt);
      }
      comparisons = 0;
      for (let claims = 0; claims < 20; claims++)
        index.take({ app: 'one', queues: ['a'], handlers: ['x'] }, waiting, 5);
      return comparisons;
    };
    // A heap of a hundred times the size is 3.3 times as deep.
    expect(comparisonsAmong(50_000)).toBeLessThan(4 * comparisonsAmong(500));
  });
});

describe('Heap', () => {
  test('gets rid of entries that became invalid, so that it does not grow with what is moved often', () => {
    const heap = new Heap<string>();
    const keep = { item: 'keep', dueAt: 5, order: 0, valid: true };
    heap.push(keep);
    for (let order = 1; order <= 10_000; order++) {
      const entry = { item: 'moved', dueAt: 1_000_000 - order, order, valid: true };
      heap.push(entry);
      entry.valid = false;
      heap.dropped();
    }
    expect(heap.size).toBeLessThan(200);
    expect(heap.pop()).toBe(keep);
    expect(heap.pop()).toBeUndefined();
  });
});
