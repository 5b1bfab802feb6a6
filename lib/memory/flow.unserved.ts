import type { UnservedStep } from '../ports/storage.adapter.js';
import { hasEnded } from './flow.rows.js';
import type { MemoryTables } from './tables.js';

/** See `FlowStorage.unservedSteps`. */
export function unservedSteps(
  { flows }: MemoryTables,
  app: string,
  handlers: readonly string[],
  limit: number,
): UnservedStep[] {
  const found = new Map<string, UnservedStep>();
  const going = [...flows.values()]
    .filter((flow) => flow.endedAt === null && (flow.app === null || flow.app === app))
    .toSorted((one, other) => Number(one.runId) - Number(other.runId));
  for (const flow of going.slice(0, limit)) {
    const { workflow, version } = flow;
    const left = [...flow.steps.values()].filter((step) => !hasEnded(step));
    for (const handler of new Set(left.map(({ definition }) => definition.handler))) {
      if (handlers.includes(handler)) continue;
      const key = JSON.stringify([workflow, version ?? 0, handler]);
      const { flows: count } = found.get(key) ?? { flows: 0 };
      found.set(key, { workflow, version, handler, flows: count + 1 });
    }
  }
  return [...found].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, step]) => step);
}
