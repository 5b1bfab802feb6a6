import type { EpochMs } from '../ports/storage.adapter.js';
import { newJobRow } from './definitions.js';
import type { FlowStepRow } from './flow.rows.js';
import { moveRunSteps } from './run.steps.js';
import { bearRun, waitUntil } from './runs.js';
import type { MemoryTables } from './tables.js';

/** Gives birth to the run of a step, or of an instance of a map, which goes on where the one before it was, if there is one. Its job is its own: nobody finds it by an id. */
export function bearStepRun(tables: MemoryTables, now: EpochMs, step: FlowStepRow): void {
  const { flow, nth, definition, item, runId: before } = step;
  const { name, kind, deadlineMs, handler, queue, priority, policies, payload } = definition;
  const dueAt = now + definition.delayMs;
  const job = newJobRow(tables, now, {
    id: `${flow.runId}/${name}${nth === null ? '' : `.${nth}`}`,
    namespace: flow.namespace,
    name: null,
    handler,
    queue,
    priority,
    trigger: { type: 'at', at: new Date(dueAt).toISOString() },
    timeZone: flow.timeZone,
    payload: payload ?? (nth === null ? flow.params : item),
    metadata: {},
    policies,
    source: 'api',
    app: flow.app,
    definitionHash: '',
    nextAt: dueAt,
  });
  const run = bearRun(tables, job, { origin: 'workflow', nominalAt: dueAt, dueAt });
  job.runs.clear();
  tables.waiting.delete(run);
  run.step = step;
  run.held = flow.pausedAt !== null;
  step.state = 'released';
  step.runId = run.id;
  step.releasedAt = now;
  if (kind === 'manual') {
    run.attempt = 1;
    run.open = { since: now, deadline: deadlineMs === null ? null : dueAt + deadlineMs };
  }
  waitUntil(tables, run, run.open?.deadline ?? dueAt);
  tables.born.push(run);
  if (before === null) return;
  moveRunSteps(tables, now, before, run.id);
  // By its fence the first attempt knows that there may be durable steps.
  run.fence = 1;
}
