import { lockNotAvailable, sqlStateOf } from './sql.errors.js';
import type { Run } from './statement.runner.js';

/** After so many flows that somebody has locked the rest counts as locked, too: each may take as long as a lock is waited for. */
const mostLocked = 3;

/** Of these runs, by the flow that each is part of, those whose end concerns one. */
export async function flowsOf(run: Run, runIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await run<{ id: string; flow: string }>('readRunFlows', runIds);
  return new Map(rows.map(({ id, flow }) => [id, flow]));
}

/**
 * What ends steps of a flow writes more than the runs, so each flow has a transaction of its own: somebody who has locked rows of one, for as long as he likes, keeps no other waiting. In any order, as the first may be locked for long.
 * Returns the items of flows that are locked.
 */
export async function eachFlow<Item>(
  items: readonly (readonly [flow: string, item: Item])[],
  work: (items: Item[]) => Promise<'done' | 'locked'>,
): Promise<Item[]> {
  const groups = new Map<string, Item[]>();
  for (const [flow, item] of items) {
    const group = groups.get(flow);
    if (group) group.push(item);
    else groups.set(flow, [item]);
  }
  const locked: Item[] = [];
  let failed = 0;
  for (const group of [...groups.values()].toSorted(() => Math.random() - 0.5)) {
    const state = failed === mostLocked ? 'locked' : await work(group).catch(asLocked);
    if (state === 'done') continue;
    failed = Math.min(failed + 1, mostLocked);
    locked.push(...group);
  }
  return locked;
}

function asLocked(error: unknown): 'locked' {
  if (sqlStateOf(error) === lockNotAvailable) return 'locked';
  throw error;
}
