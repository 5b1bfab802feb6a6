import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { effectiveDeclarations } from '../../lib/discovery/effective.declarations.js';
import { appear, type CarriedDeclaration, type CarriedSet } from '../../lib/ports/storage.adapter.js';

function declaration(id: string, place: number, given: Partial<CarriedDeclaration> = {}): CarriedDeclaration {
  return {
    namespace: 'default',
    id,
    hash: `${id}@${place}`,
    handler: `${id}.run`,
    previousIds: [],
    place,
    ...given,
  };
}

function set(place: number, ...declarations: CarriedDeclaration[]): CarriedSet {
  return { place, declarations, carriedUntil: null };
}

function inForce(...sets: CarriedSet[]): Record<string, string> {
  const { effective } = effectiveDeclarations(sets);
  return Object.fromEntries([...effective.values()].map(({ id, hash }) => [id, hash]));
}

describe('the declarations in force', () => {
  test('are those of all roles together', () => {
    expect(inForce(set(1, declaration('a', 1)), set(2, declaration('b', 2)))).toEqual({
      a: 'a@1',
      b: 'b@2',
    });
  });

  test('are, of one id, the one that appeared last, whichever set carries it', () => {
    const first = declaration('a', 1);
    const second = declaration('a', 2);
    expect(inForce(set(1, first), set(2, second))).toEqual({ a: 'a@2' });
    expect(inForce(set(2, second), set(1, first))).toEqual({ a: 'a@2' });
    expect(inForce(set(3, first), set(2, second))).toEqual({ a: 'a@2' });
  });

  test('are the older one again when the last carrier of the newer is gone', () => {
    expect(inForce(set(1, declaration('a', 1)))).toEqual({ a: 'a@1' });
  });

  test('have one id for a method while two releases name it differently', () => {
    const old = set(1, declaration('old', 1, { handler: 'Report.daily' }));
    const renamed = set(2, declaration('new', 2, { handler: 'Report.daily' }));
    expect(inForce(old, renamed)).toEqual({ new: 'new@2' });
    expect([...effectiveDeclarations([old, renamed]).superseded]).toEqual(['default/old']);
    expect(inForce(old)).toEqual({ old: 'old@1' });
  });

  test('have all ids that one release gives to a method', () => {
    const twice = set(
      1,
      declaration('a', 1, { handler: 'Report.daily' }),
      declaration('b', 2, { handler: 'Report.daily' }),
    );
    expect(inForce(twice)).toEqual({ a: 'a@1', b: 'b@2' });
    expect(inForce(twice, set(3, declaration('b', 2, { handler: 'Report.daily' })))).toEqual({ b: 'b@2' });
  });

  test('do not have an id that a newer one renames, also where its method has another name', () => {
    const old = set(1, declaration('clean-up', 1));
    const renamed = set(2, declaration('tidy', 2, { previousIds: ['clean-up'] }));
    expect(inForce(old, renamed)).toEqual({ tidy: 'tidy@2' });
  });

  test('have an id that its own release gives to another job, though it renames from it', () => {
    const both = set(2, declaration('a', 3), declaration('b', 2, { previousIds: ['a'] }));
    expect(inForce(both, set(1, declaration('a', 1, { handler: 'b.run' })))).toEqual({
      a: 'a@3',
      b: 'b@2',
    });
    expect(effectiveDeclarations([both]).superseded.size).toBe(0);
  });

  test('do not take the word of what does not count itself', () => {
    const first = set(1, declaration('a', 1, { handler: 'h' }));
    const second = set(2, declaration('b', 2, { handler: 'h', previousIds: ['a'] }));
    const third = set(3, declaration('c', 3, { handler: 'h' }));
    expect(inForce(first, second, third)).toEqual({ c: 'c@3' });
  });

  test('do not hold a method for an id that runs another one: a newer set may have older declarations', () => {
    const [older, x] = [declaration('x', 1, { handler: 'a' }), declaration('x', 2, { handler: 'b' })];
    const first = set(1, older);
    const second = set(2, x, declaration('z', 2, { handler: 'a' }));
    const third = set(3, older, declaration('c', 3));
    expect(inForce(first, second, third)).toEqual({ x: 'x@2', z: 'z@2', c: 'c@3' });
    expect(inForce(first, third)).toEqual({ x: 'x@1', c: 'c@3' });
  });

  test('do not take the renames of what an older set declares anew without them', () => {
    const older = declaration('x', 1, { previousIds: ['p'] });
    const first = set(1, older);
    const second = set(2, declaration('x', 2), declaration('p', 2));
    expect(inForce(first, second, set(3, older, declaration('c', 3)))).toEqual({
      x: 'x@2',
      p: 'p@2',
      c: 'c@3',
    });
  });

  test('have a method whose id an older one has taken, and has lost to a third one', () => {
    const old = declaration('c', 1, { handler: 'i', previousIds: ['a'] });
    const second = set(2, declaration('c', 2, { handler: 'j' }));
    const third = set(3, declaration('a', 3, { handler: 'j' }));
    // By the rename of the last set `a` does not count, so `c` is j; by that the rename does not count.
    expect(inForce(set(1, old), second, third, set(4, old))).toEqual({ a: 'a@3', c: 'c@1' });
  });

  test('keep what a release without known handlers carries', () => {
    const old = set(1, declaration('a', 1, { handler: null }), declaration('b', 1, { handler: null }));
    expect(inForce(old, set(2, declaration('a', 2)))).toEqual({ a: 'a@2', b: 'b@1' });
  });

  test('do not depend on the order of asking, never run a method under ids of two releases, and hold an id only for another one', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd');
    const handlers = ['h', 'i', 'j'];
    const given = fc.record({
      id: ids,
      handler: fc.constantFrom(...handlers),
      previousIds: fc.uniqueArray(ids, { maxLength: 2 }),
    });
    const releases = fc.array(fc.uniqueArray(given, { selector: ({ id }) => id, maxLength: 4 }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(releases, fc.integer(), (found, seed) => {
        const sets: CarriedSet[] = [];
        for (const [nth, jobs] of found.entries()) {
          // What is declared as before keeps its place.
          const declarations = jobs.map(({ id, ...job }) => ({
            ...declaration(id, 0, job),
            hash: JSON.stringify([id, job]),
          }));
          sets.push(set(nth + 1, ...appear(declarations, sets, nth + 1)));
        }
        const one = effectiveDeclarations(sets);
        const shuffled = sets.toSorted((a, b) => ((a.place * seed) % 7) - ((b.place * seed) % 7));
        const other = effectiveDeclarations(shuffled);
        expect(other.effective).toEqual(one.effective);
        expect(other.superseded).toEqual(one.superseded);
        for (const key of one.superseded) expect(one.effective.has(key)).toBe(false);
        const all = sets.flatMap(({ declarations }) => declarations);
        expect(new Set([...one.effective.keys(), ...one.superseded])).toEqual(
          new Set(all.map(({ id }) => `default/${id}`)),
        );
        const effective = [...one.effective.values()];
        for (const handler of handlers) {
          const under = effective.filter((declared) => declared.handler === handler);
          if (under.length < 2) continue;
          const together = sets.some(({ declarations }) =>
            under.every(({ id }) =>
              declarations.some((declared) => declared.id === id && declared.handler === handler),
            ),
          );
          expect(together).toBe(true);
        }
        for (const held of all.filter(({ id }) => one.superseded.has(`default/${id}`))) {
          const runs = effective.some(({ handler }) => handler === held.handler);
          const isRenamed = effective.some(({ previousIds }) => previousIds.includes(held.id));
          expect(runs || isRenamed, `${held.handler} as ${held.id}`).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
