import fc from 'fast-check';
import type { Job, SchedulerService } from '../../../lib/index.js';
import type { Answer, Conflict, JobModel, ModelItem, ModelJob } from './job.model.js';

/** One call of the service, and of the model. */
export interface Operation {
  text: string;
  actual: (service: SchedulerService, namespace: string) => Promise<unknown>;
  expected: (model: JobModel) => Answer;
}

const handler = 'work';
/** A queue of no worker: nothing that becomes due is executed. */
const queue = 'nobody';

/** Runs the operations one after another; returns the first that the service answers in another way than the model. */
export async function firstDifference(
  operations: readonly Operation[],
  service: SchedulerService,
  model: JobModel,
  namespace: string,
): Promise<{ nth: number; text: string; actual: Answer; expected: Answer } | null> {
  for (const [nth, { text, actual, expected }] of operations.entries()) {
    const found = await answerOf(() => actual(service, namespace));
    const wanted = expected(model);
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      return { nth, text, actual: found, expected: wanted };
  }
  return null;
}

async function answerOf(call: () => Promise<unknown>): Promise<Answer> {
  try {
    return { value: (await call()) ?? null };
  } catch (error) {
    return { error: (error as Error).constructor.name };
  }
}

const ids = fc.constantFrom('a', 'b', 'c', 'ab', 'ä"\'; --');
const conflicts = fc.constantFrom<Conflict>('raise', 'ignore', 'replace');
const kinds = fc.constantFrom<ModelJob['kind']>('cron', 'at');
const tags = fc.constantFrom('red', 'blue');
const priorities = fc.integer({ min: 0, max: 9 });
const item: fc.Arbitrary<ModelItem> = fc.record({
  id: ids,
  kind: kinds,
  payload: fc.integer({ min: 0, max: 99 }),
  priority: priorities,
  tag: tags,
});
const change = fc.record(
  { payload: fc.integer({ min: 0, max: 99 }), priority: priorities, tag: tags },
  { requiredKeys: ['payload'] },
);
const filters = fc.record(
  { kind: kinds, tag: tags, paused: fc.constant<true>(true), idPrefix: fc.constantFrom('a', 'ä') },
  { requiredKeys: [] },
);

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(item, conflicts).map(([given, policy]) => create(given, policy)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(item, { minLength: 1, maxLength: 6 }), conflicts)
      .map(([items, policy]) => createMany(items, policy)),
  },
  { weight: 1, arbitrary: item.map(upsert) },
  { weight: 2, arbitrary: fc.tuple(ids, change).map(([id, given]) => update(id, given)) },
  { weight: 1, arbitrary: ids.map(get) },
  {
    weight: 2,
    arbitrary: fc.tuple(ids, fc.constantFrom('audit', 'holiday')).map(([id, why]) => pause(id, why)),
  },
  { weight: 2, arbitrary: ids.map(resume) },
  { weight: 1, arbitrary: ids.map(remove) },
  { weight: 1, arbitrary: ids.map(cancel) },
  { weight: 2, arbitrary: ids.map(runNow) },
  { weight: 1, arbitrary: ids.map(countRuns) },
  { weight: 2, arbitrary: filters.map(query) },
);

function create(given: ModelItem, onConflict: Conflict): Operation {
  return {
    text: `create ${JSON.stringify(given)} ${onConflict}`,
    actual: async (service, namespace) =>
      viewOf(
        await service.createJob({ ...optionsOf(given, namespace), trigger: triggerOf(given), onConflict }),
      ),
    expected: (model) => model.create(given, onConflict),
  };
}

function createMany(items: readonly ModelItem[], onConflict: Conflict): Operation {
  return {
    text: `createMany ${JSON.stringify(items)} ${onConflict}`,
    actual: async (service, namespace) => {
      const results = await service.createMany(
        items.map((given) => ({ ...optionsOf(given, namespace), ...timeOf(given) })),
        { onConflict },
      );
      return results.map(({ status }) => status);
    },
    expected: (model) => model.createMany(items, onConflict),
  };
}

function upsert(given: ModelItem): Operation {
  return {
    text: `upsert ${JSON.stringify(given)}`,
    actual: async (service, namespace) =>
      (await service.upsert({ ...optionsOf(given, namespace), ...timeOf(given) })).status,
    expected: (model) => model.upsert(given),
  };
}

function get(id: string): Operation {
  return {
    text: `get ${id}`,
    actual: async (service, namespace) => viewOf(await service.getJob(id, { namespace })),
    expected: (model) => model.get(id),
  };
}

function update(id: string, given: { payload: number; priority?: number; tag?: string }): Operation {
  const { tag, ...rest } = given;
  const changes = tag === undefined ? rest : { ...rest, metadata: { tag } };
  return {
    text: `update ${id} ${JSON.stringify(given)}`,
    actual: async (service, namespace) => viewOf(await service.updateJob(id, changes, { namespace })),
    expected: (model) => model.update(id, given),
  };
}

function pause(id: string, reason: string): Operation {
  return {
    text: `pause ${id} ${reason}`,
    actual: async (service, namespace) => viewOf(await service.pauseJob(id, { namespace, reason })),
    expected: (model) => model.pause(id, reason),
  };
}

function resume(id: string): Operation {
  return {
    text: `resume ${id}`,
    actual: async (service, namespace) => viewOf(await service.resumeJob(id, { namespace })),
    expected: (model) => model.resume(id),
  };
}

function remove(id: string): Operation {
  return {
    text: `delete ${id}`,
    actual: (service, namespace) => service.deleteJob(id, { namespace }),
    expected: (model) => model.delete(id),
  };
}

function cancel(id: string): Operation {
  return {
    text: `cancel ${id}`,
    actual: (service, namespace) => service.cancelJob(id, { namespace }),
    expected: (model) => model.cancel(id),
  };
}

function runNow(id: string): Operation {
  return {
    text: `runNow ${id}`,
    actual: async (service, namespace) => (await service.runNow(id, { namespace })).jobId,
    expected: (model) => model.runNow(id),
  };
}

function countRuns(id: string): Operation {
  return {
    text: `runs of ${id}`,
    actual: async (service, namespace) => (await service.getRuns({ jobId: id, namespace })).items.length,
    expected: (model) => model.runs(id),
  };
}

function query(filter: {
  kind?: ModelJob['kind'];
  tag?: string;
  paused?: true;
  idPrefix?: string;
}): Operation {
  const { kind, tag, paused, idPrefix } = filter;
  const given = {
    ...(kind && { triggerType: kind }),
    ...(tag && { metadata: { tag } }),
    ...(paused && { state: 'paused' as const }),
    ...(idPrefix && { idPrefix }),
  };
  return {
    text: `query ${JSON.stringify(filter)}`,
    actual: async (service, namespace) => {
      const { items } = await service.queryJobs({ namespace, ...given });
      const count = await service.countJobs({ namespace, ...given });
      const found = items.map((job) => job.id).sort();
      return count === found.length ? found : `${count} counted, ${found.length} found`;
    },
    expected: (model) => model.query(filter),
  };
}

function optionsOf({ id, payload, priority, tag }: ModelItem, namespace: string) {
  return { id, namespace, handler, queue, payload, priority, metadata: { tag }, allowUnknownHandler: true };
}

function triggerOf({ kind }: ModelItem) {
  return kind === 'cron'
    ? { type: 'cron' as const, expression: '0 0 1 1 *', startAt: '2090-01-01T00:00:00Z' }
    : { type: 'at' as const, at: '2099-12-31T00:00:00Z' };
}

function timeOf({ kind }: ModelItem) {
  return kind === 'cron'
    ? { cron: '0 0 1 1 *', startAt: '2090-01-01T00:00:00Z' }
    : { at: '2099-12-31T00:00:00Z' };
}

function viewOf(job: Job | null): unknown {
  if (job === null) return null;
  const { id, trigger, payload, priority, metadata, paused } = job;
  return { id, kind: trigger.type, payload, priority, tag: metadata.tag, paused: paused?.reason ?? null };
}
