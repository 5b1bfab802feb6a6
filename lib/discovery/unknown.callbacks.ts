import type { ChronisEventMap } from '../events/event.map.js';
import { nearestName } from '../model/nearest.name.js';
import type { DeclaredJob } from './declared.job.js';

/** Callbacks of declared jobs whose handler is not among those that are known, one entry for each such handler. */
export function unknownCallbacks(
  jobs: readonly DeclaredJob[],
  known: ReadonlySet<string>,
): ChronisEventMap['callbacks.unknown'][] {
  const unknown = new Map<string, ChronisEventMap['callbacks.unknown']['callbacks'][number][]>();
  for (const { definition, place } of jobs) {
    const { namespace, id, policies } = definition;
    for (const option of ['onSuccess', 'onFailure'] as const) {
      const handler = policies[option]?.handler;
      if (handler === undefined || known.has(handler)) continue;
      unknown.set(handler, [...(unknown.get(handler) ?? []), { namespace, id, option, place }]);
    }
  }
  return [...unknown].map(([handler, callbacks]) => ({
    handler,
    callbacks,
    meant: nearestName(handler, known),
  }));
}
