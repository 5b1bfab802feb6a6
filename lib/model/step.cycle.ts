interface WaitingStep {
  name: string;
  parents: readonly string[];
}

/** As `cycleAmong`, once steps that are there wait for others as well: each for another once, however often that is said. */
export function cycleWith(
  steps: readonly WaitingStep[],
  joined: readonly { parent: string; child: string }[],
): string[] | null {
  const more = new Map<string, string[]>();
  for (const { parent, child } of joined) more.set(child, [...(more.get(child) ?? []), parent]);
  return cycleAmong(
    steps.map(({ name, parents }) => ({
      name,
      parents: [...new Set([...parents, ...(more.get(name) ?? [])])],
    })),
  );
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
