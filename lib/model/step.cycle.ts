interface WaitingStep {
  name: string;
  parents: readonly string[];
}

/**
 * As `cycleAmong`, once steps that are there wait for others as well: each for another once, however often that is said. `behind`: of what is there the steps that come to wait, and all that come after these; a cycle goes through nothing else.
 */
export function cycleWith(
  behind: readonly { name: string; children: readonly string[] }[],
  added: readonly WaitingStep[],
  joined: readonly { parent: string; child: string }[],
): string[] | null {
  const parents = new Map<string, Set<string>>();
  for (const { name } of [...behind, ...added]) parents.set(name, new Set());
  const connect = (parent: string, child: string): void => {
    if (parents.has(parent)) parents.get(child)?.add(parent);
  };
  for (const { name, children } of behind) for (const child of children) connect(name, child);
  for (const { name, parents: own } of added) for (const parent of own) connect(parent, name);
  for (const { parent, child } of joined) connect(parent, child);
  return cycleAmong(Array.from(parents, ([name, own]) => ({ name, parents: [...own] })));
}

/** Steps that wait for each other, in the order of waiting, the first one also at the end; null: there are none. By Kahn: what is left when all that can run has run goes round somewhere. */
export function cycleAmong(steps: readonly WaitingStep[]): string[] | null {
  const left = new Map(steps.map(({ name, parents }) => [name, parents.length]));
  const children = new Map<string, string[]>();
  for (const { name, parents } of steps) {
    for (const parent of parents) {
      const known = children.get(parent);
      if (known) known.push(name);
      else children.set(parent, [name]);
    }
  }
  const ready = steps.filter(({ parents }) => parents.length === 0).map(({ name }) => name);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    left.delete(name);
    for (const child of children.get(name) ?? []) {
      const missing = left.get(child)! - 1;
      left.set(child, missing);
      if (missing === 0) ready.push(child);
    }
  }
  return left.size === 0 ? null : roundIn(steps, left);
}

/** Each of what is left has a parent that is left, so going from parent to parent comes back to where it was. */
function roundIn(steps: readonly WaitingStep[], left: ReadonlyMap<string, number>): string[] {
  const parentOf = new Map<string, string>();
  for (const { name, parents } of steps) {
    const parent = left.has(name) ? parents.find((each) => left.has(each)) : undefined;
    if (parent !== undefined) parentOf.set(name, parent);
  }
  const path: string[] = [];
  const place = new Map<string, number>();
  let at = [...left.keys()][0]!;
  while (!place.has(at)) {
    place.set(at, path.length);
    path.push(at);
    at = parentOf.get(at)!;
  }
  return [...path.slice(place.get(at)), at].toReversed();
}
