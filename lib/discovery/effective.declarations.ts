import type { CarriedDeclaration, CarriedSet } from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';

/** What is in force. */
export interface EffectiveDeclarations {
  /** By `namespace/id`. */
  effective: ReadonlyMap<string, CarriedDeclaration>;
  /** Ids that a live worker declares, but that must not fire: their method runs under another id. By `namespace/id`. */
  superseded: ReadonlySet<string>;
}

/**
 * Which declarations of one app are in force: a function of what its live workers carry, so that it is the same whoever asks, and changes only when workers come or go.
 *
 * A method never runs under two ids: of those declared for a handler only the ones of the newest set that has this handler count, and an id that a newer declaration
 * renames does not count either. Of the declarations of one id that are left the newest is in force.
 *
 * A set that appeared last may hold declarations that other sets have carried for long. Where one of these is older than what another set declares for the same id, it is not in force, and then says nothing
 * about other ids either: neither does it rename any, nor does its id count as that of its method. Else a method would be held
 * under one id because it is declared under another, although that one runs something else. Where what it was older than turns out not to be in force itself, and nothing else is under the id, it counts all the
 * same, but still renames nothing: that is what has put it out of force.
 */
export function effectiveDeclarations(
  sets: readonly Pick<CarriedSet, 'place' | 'declarations'>[],
): EffectiveDeclarations {
  const newestFirst = sets.toSorted((a, b) => b.place - a.place);
  const beaten: Beaten = new Map();
  const back = new Set<CarriedDeclaration>();
  const forGood = new Set<CarriedDeclaration>();
  // Each declaration is beaten, comes back, and is beaten for good, at most once.
  for (;;) {
    const found = decide(newestFirst, beaten, back);
    let isNew = false;
    for (const declaration of found.counted) {
      const inForce = found.effective.get(refKey(declaration));
      if (inForce === undefined || !isBeaten(declaration, inForce)) continue;
      if (!beaten.has(declaration)) isNew = true;
      else if (back.delete(declaration)) {
        forGood.add(declaration);
        isNew = true;
      } else continue;
      beaten.set(declaration, inForce);
    }
    if (isNew) continue;
    for (const declaration of beaten.keys()) {
      if (found.effective.has(refKey(declaration)) || back.has(declaration) || forGood.has(declaration))
        continue;
      back.add(declaration);
      isNew = true;
    }
    if (!isNew) return found;
  }
}

/** Declarations with those of the same id that are in force in their stead, and say something else. */
type Beaten = Map<CarriedDeclaration, CarriedDeclaration>;

function isBeaten(declaration: CarriedDeclaration, inForce: CarriedDeclaration): boolean {
  return (
    declaration.place < inForce.place &&
    (declaration.handler !== inForce.handler ||
      previousKeys(declaration).join() !== previousKeys(inForce).join())
  );
}

/** One round: what is beaten does not count if its method is another one, unless it has come back, and renames nothing. */
function decide(
  newestFirst: readonly Pick<CarriedSet, 'declarations'>[],
  beaten: Beaten,
  back: ReadonlySet<CarriedDeclaration>,
): EffectiveDeclarations & { counted: readonly CarriedDeclaration[] } {
  const idsOfHandler = new Map<string, ReadonlySet<string>>();
  const renamed = new Set<string>();
  const effective = new Map<string, CarriedDeclaration>();
  const superseded = new Set<string>();
  const all: CarriedDeclaration[] = [];
  for (const { declarations } of newestFirst) {
    const counted: CarriedDeclaration[] = [];
    for (const declaration of declarations) {
      const key = refKey(declaration);
      const { handler } = declaration;
      const ids = handler === null ? undefined : idsOfHandler.get(handler);
      const inForce = back.has(declaration) ? undefined : beaten.get(declaration);
      const isOfAnother = inForce !== undefined && inForce.handler !== handler;
      if (isOfAnother || renamed.has(key) || ids?.has(key) === false) superseded.add(key);
      else counted.push(declaration);
    }
    for (const declaration of counted) {
      const key = refKey(declaration);
      const other = effective.get(key);
      if (other === undefined || other.place < declaration.place) effective.set(key, declaration);
    }
    // All ids of a set count beside each other; what they say holds for the older ones.
    noteHandlers(idsOfHandler, counted);
    const own = new Set(declarations.map(refKey));
    for (const declaration of counted) {
      if (beaten.has(declaration)) continue;
      for (const key of previousKeys(declaration)) if (!own.has(key)) renamed.add(key);
    }
    all.push(...counted);
  }
  // An id that counts for one method may have been another's, under which it does not.
  for (const key of effective.keys()) superseded.delete(key);
  return { effective, superseded, counted: all };
}

/** `namespace/id` of what a declaration renames. */
export function previousKeys({
  namespace,
  previousIds,
}: Pick<CarriedDeclaration, 'namespace' | 'previousIds'>): string[] {
  return previousIds.map((id) => refKey({ namespace, id }));
}

function noteHandlers(known: Map<string, ReadonlySet<string>>, counted: readonly CarriedDeclaration[]): void {
  const found = new Map<string, Set<string>>();
  for (const declaration of counted) {
    const { handler } = declaration;
    if (handler === null || known.has(handler)) continue;
    const ids = found.get(handler) ?? new Set();
    found.set(handler, ids.add(refKey(declaration)));
  }
  for (const [handler, ids] of found) known.set(handler, ids);
}
