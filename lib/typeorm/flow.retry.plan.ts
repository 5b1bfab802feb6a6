import type { OrphanedStep } from '../ports/retry.refusals.js';

/** A step of a flow that is over. */
export interface RetriedStep {
  id: string;
  name: string;
  /** Of an instance its map. */
  map_of: string | null;
  /** The step whose end has added it. */
  added_by: string | null;
  run_id: string | null;
  /** See `ClaimedStep.place`. */
  place: string;
  is_map: boolean;
  /** A map that has instances. */
  is_expanded: boolean;
  /** It has never been released, nor has it ended. */
  waiting: boolean;
  good: boolean;
  children: string[] | null;
}

/** What becomes of steps when some run again. The rest stays as it is. */
export interface RetryPlan {
  /** Added by what runs again, which will add it again. */
  dropped: RetriedStep[];
  /** Who adds steps again before which others are that stay: these wait for who does until then. */
  edges: { parent: string; child: string }[];
  /** What stays, and comes after what goes: in vain. */
  orphaned: OrphanedStep[];
  /** After what runs again: to be as before they were released. */
  waiting: RetriedStep[];
  /** Have not ended well, and begin as soon as their parents let them, where they were. */
  behind: RetriedStep[];
  /** Begin at once; what had not ended well where it was. */
  again: RetriedStep[];
  /** Those of `again` that are made anew. */
  maps: RetriedStep[];
  /** Maps that keep the instances that have ended well, and go on at once. */
  halfDone: RetriedStep[];
  /** The other instances of these. */
  instances: RetriedStep[];
  /** The same of those maps that are `behind`. */
  instancesBehind: RetriedStep[];
  /** Those that have parents which run again. */
  recounted: RetriedStep[];
  /** Those of them that are named: they wait for such parents alone. */
  named: RetriedStep[];
  /** Where all of these are, and the instances of maps that are made anew, or go, and what waits and may begin by that; in the words of older releases too, which have runs there. */
  places: Set<string>;
}

/** All that has been released, or cancelled before that, and not ended well runs again, and nothing else. What of it has added steps has ended well of a map, and does not run again. */
export function planRetryOfBad(all: readonly RetriedStep[]): RetryPlan {
  const steps = all.filter(({ map_of }) => map_of === null);
  const byId = new Map(steps.map((step) => [step.id, step]));
  const bad = steps.filter(({ waiting, good }) => !waiting && !good);
  const held = new Set(steps.filter(({ good }) => !good).flatMap(({ children }) => children ?? []));
  const mayBegin = (step: RetriedStep): boolean =>
    (step.run_id !== null || step.is_expanded) && !held.has(step.id);
  const [atOnce, behind] = [bad.filter(mayBegin), bad.filter((step) => !mayBegin(step))];
  const halfDone = atOnce.filter(isHalfDone);
  const instances = badInstancesOf(halfDone, all);
  const instancesBehind = badInstancesOf(behind, all);
  return {
    ...{ dropped: [], edges: [], orphaned: [], waiting: [], maps: [], named: [] },
    ...{ behind, again: atOnce.filter((step) => !isHalfDone(step)), halfDone, instances, instancesBehind },
    recounted: [...new Set([...behind, ...bad.flatMap((step) => childrenOf(step, byId))])],
    places: placesOf([...steps.filter(({ good }) => !good), ...instances, ...instancesBehind]),
  };
}

function placesOf(steps: readonly RetriedStep[]): Set<string> {
  return new Set(steps.flatMap(({ place, run_id }) => (run_id === null ? place : [place, run_id])));
}

function badInstancesOf(maps: readonly RetriedStep[], all: readonly RetriedStep[]): RetriedStep[] {
  const ids = new Set(maps.map(({ id }) => id));
  return all.filter(({ map_of, good }) => map_of !== null && ids.has(map_of) && !good);
}

/** Steps that are named run again, with all that comes after them. */
export function planRetry(all: readonly RetriedStep[], chosen: readonly RetriedStep[]): RetryPlan {
  const steps = all.filter(({ map_of }) => map_of === null);
  const byId = new Map(steps.map((step) => [step.id, step]));
  const addedBy = new Map<string, RetriedStep[]>();
  for (const step of steps) {
    if (step.added_by === null) continue;
    const others = addedBy.get(step.added_by);
    if (others) others.push(step);
    else addedBy.set(step.added_by, [step]);
  }
  const after = waitingAgain(chosen, byId, addedBy);
  const dropped = droppedBy(chosen, after, addedBy);
  const waiting = [...after].filter((step) => !dropped.has(step));
  const rest = chosen.filter((step) => !after.has(step) && !dropped.has(step));
  const halfDone = rest.filter(isHalfDone);
  const maps = rest.filter((step) => step.is_map && !isHalfDone(step));
  const instances = badInstancesOf(halfDone, all);
  const anew = new Set([...dropped, ...after, ...rest].map(({ id }) => id));
  for (const { id } of halfDone) anew.delete(id);
  const gone = all.filter(({ id, map_of }) => anew.has(map_of ?? id));
  return {
    dropped: [...dropped],
    ...behindDropped(steps, dropped, byId),
    waiting,
    recounted: waiting,
    named: chosen.filter((step) => after.has(step)),
    ...{ behind: [], instancesBehind: [] },
    again: rest.filter(({ is_map }) => !is_map),
    maps,
    halfDone,
    instances,
    places: placesOf([...gone, ...instances, ...all.filter((step) => step.waiting)]),
  };
}

const isHalfDone = ({ is_expanded, good }: RetriedStep): boolean => is_expanded && !good;

type ById = ReadonlyMap<string, RetriedStep>;
type AddedBy = ReadonlyMap<string, readonly RetriedStep[]>;

/** All that comes after these, or was added by what runs again. */
function waitingAgain(chosen: readonly RetriedStep[], byId: ById, addedBy: AddedBy): Set<RetriedStep> {
  const waiting = new Set<RetriedStep>();
  const work = [...chosen];
  for (const step of work) {
    // What has ended well of a map does not add anything again.
    const added = isHalfDone(step) && !waiting.has(step) ? [] : (addedBy.get(step.id) ?? []);
    for (const next of [...childrenOf(step, byId), ...added]) {
      if (waiting.has(next)) continue;
      waiting.add(next);
      work.push(next);
    }
  }
  return waiting;
}

function droppedBy(
  chosen: readonly RetriedStep[],
  waiting: ReadonlySet<RetriedStep>,
  addedBy: AddedBy,
): Set<RetriedStep> {
  const anew = new Set([...waiting, ...chosen.filter((step) => !isHalfDone(step))]);
  return new Set([...anew].flatMap(({ id }) => addedBy.get(id) ?? []));
}

function behindDropped(
  steps: readonly RetriedStep[],
  dropped: ReadonlySet<RetriedStep>,
  byId: ById,
): Pick<RetryPlan, 'edges' | 'orphaned'> {
  const edges: RetryPlan['edges'] = [];
  const orphaned: OrphanedStep[] = [];
  const places = new Map(steps.map((step, place) => [step, place]));
  const known = new Set<string>();
  for (const gone of dropped) {
    let parent = byId.get(gone.added_by!)!;
    while (dropped.has(parent)) parent = byId.get(parent.added_by!)!;
    const its = new Set(parent.children);
    for (const child of childrenOf(gone, byId)) {
      if (dropped.has(child)) continue;
      // An edge to a step that was there before is one that is added with its parent.
      if (places.get(child)! > places.get(gone)!) {
        const [addedBy, addedAgainBy] = [byId.get(child.added_by!)!.name, parent.name];
        orphaned.push({ name: child.name, addedBy, after: gone.name, addedAgainBy });
        continue;
      }
      const edge = `${parent.id} ${child.id}`;
      if (!its.has(child.id) && !known.has(edge)) edges.push({ parent: parent.id, child: child.id });
      known.add(edge);
    }
  }
  return { edges, orphaned };
}

function childrenOf({ children }: RetriedStep, byId: ById): RetriedStep[] {
  return (children ?? []).flatMap((id) => byId.get(id) ?? []);
}
