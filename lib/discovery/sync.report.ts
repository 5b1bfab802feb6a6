import type { ChronisEventMap } from '../events/event.map.js';
import type { ChangeableOption } from '../model/job.changes.js';
import type { JobRef } from '../model/job.js';
import type { ChangedJob, DefinitionChange, StoredDefinition } from '../ports/storage.adapter.js';

/** What was done, as it is told. `stored`: the jobs that were found, by uid. */
export function changedRefs(
  changes: readonly DefinitionChange[],
  stored: ReadonlyMap<string, StoredDefinition>,
): { created: JobRef[]; changed: JobRef[]; superseded: JobRef[]; deleted: JobRef[] } {
  const refs = (...kinds: DefinitionChange['kind'][]): JobRef[] =>
    changes
      .filter(({ kind }) => kinds.includes(kind))
      .map((change) => ('job' in change ? refOf(change.job) : refOf(stored.get(change.uid)!)));
  return {
    created: refs('insert'),
    changed: refs('update', 'adopt'),
    superseded: refs('orphan'),
    deleted: refs('delete'),
  };
}

/** The jobs of the app that are changed at run time, as they are once the sync is done. */
export function changedJobs(
  app: string,
  stored: ReadonlyMap<string, StoredDefinition>,
  done: readonly DefinitionChange[],
): ChangedJob[] {
  const doneTo = new Map(done.flatMap((change) => (change.kind === 'insert' ? [] : [[change.uid, change]])));
  return [...stored.values()].flatMap((job) => {
    const change = doneTo.get(job.uid);
    const changes = change?.kind === 'update' ? (change.changed ?? null) : (job.changed?.changes ?? null);
    if (changes === null || change?.kind === 'delete' || (job.app !== app && change === undefined)) return [];
    return { ...refOf(change?.kind === 'update' ? change.job : job), changes };
  });
}

export function toldChange({
  namespace,
  id,
  changes,
}: ChangedJob): ChronisEventMap['jobs.synced']['changedAtRunTime'][number] {
  return { namespace, id, options: (Object.keys(changes) as ChangeableOption[]).toSorted() };
}

function refOf({ namespace, id }: JobRef): JobRef {
  return { namespace, id };
}
