import type { JsonValue } from '../model/json.js';
import type { StepVerdict } from '../model/verdict.js';
import type { FlowEnding } from '../ports/flow.ending.js';
import type { EpochMs, Flow, FlowEdge, NewFlowStep } from '../ports/storage.adapter.js';
import type { MemoryTables, RunRow } from './tables.js';

/** A graph of steps whose end is the verdict of an open run. */
export interface FlowRow {
  /** The run that it is: another one after a retry. */
  runId: string;
  /** Whose run it is, and of which instant, for a retry. */
  jobUid: string;
  nominalAt: EpochMs;
  workflow: string;
  version: number | null;
  namespace: string;
  app: string | null;
  timeZone: string;
  params: JsonValue;
  /** The trace of the attempt that opened it. Absent: it was in none. */
  trace?: string;
  /** For how long its run may be open; null: for ever. */
  deadlineMs: number | null;
  openedAt: EpochMs;
  endedAt: EpochMs | null;
  pausedAt: EpochMs | null;
  verdict: Flow['verdict'];
  /** What was decided from outside; null: nothing was. It stays when the flow is over. Never changed in place. */
  ending: FlowEnding | null;
  /** Of one that is ending: when its run is tried again; null: it is not. */
  retryAt: EpochMs | null;
  retryOf: string | null;
  /** The run that it was before all retries; null: it was not retried. */
  firstRun: string | null;
  /** Where it is, whatever run it has, see `ClaimedStep.place`. Absent: a file of a release before has it, see `placeOf`. */
  place?: string;
  /** The step of another flow whose run it is, as long as that is there. */
  stepOf: FlowStepRow | null;
  /** By name, in the order in which they were stored, maps without their instances. */
  readonly steps: Map<string, FlowStepRow>;
  /** How many of these are released. Zero: nothing goes on. */
  active: number;
  /** Of one that is no step of another: how many steps it and those in it have had, see `maxFlowSteps`. */
  total: number;
}

/** Where a flow is, whatever run it has. */
export function flowPlace({ place, firstRun, runId }: FlowRow): string {
  return place ?? firstRun ?? runId;
}

/** `ClaimedStep.place` */
export function placeOf({ flow, definition, nth }: FlowStepRow): string {
  return `${flowPlace(flow)}/${definition.name}${nth === null ? '' : `.${nth}`}`;
}

/** The flow that is no step of another, in which this one is. */
export function rootOf(flow: FlowRow): FlowRow {
  return flow.stepOf === null ? flow : rootOf(flow.stepOf.flow);
}

/** A step of a flow, or an instance of one that is a map. */
export interface FlowStepRow {
  readonly flow: FlowRow;
  /** The order in which they were stored; instances have that of their map. */
  readonly position: number;
  /** Of an instance; null: it is none. */
  readonly nth: number | null;
  /** As it was given, but for what grows. */
  readonly definition: Omit<NewFlowStep, 'after' | 'need'>;
  /** The step whose end has added it; null: it was there from the beginning. */
  readonly addedBy: string | null;
  /** Of an instance. */
  item: JsonValue;
  readonly after: FlowEdge[];
  /** The names of those that come after it. */
  readonly children: string[];
  need: number;
  /** Parents that have ended well, those that have not, and how many of the first were skipped. */
  ok: number;
  bad: number;
  skips: number;
  state: 'waiting' | 'released' | StepVerdict;
  /** Of one that waits the run with whose durable steps and signals it goes on. */
  runId: string | null;
  releasedAt: EpochMs | null;
  endedAt: EpochMs | null;
  reason: string | null;
  result: JsonValue;
  /** Of a map, in the order of their items, and how many of them have not ended. */
  instances: FlowStepRow[];
  going: number;
}

export function newStep(
  tables: { own<T extends object>(table: 'flowSteps', row: T): T },
  flow: FlowRow,
  definition: FlowStepRow['definition'],
  fields: Pick<FlowStepRow, 'position'> & Partial<FlowStepRow>,
): FlowStepRow {
  return tables.own<FlowStepRow>('flowSteps', {
    flow,
    definition,
    nth: null,
    addedBy: null,
    item: null,
    after: [],
    children: [],
    need: 0,
    ok: 0,
    bad: 0,
    skips: 0,
    state: 'waiting',
    runId: null,
    releasedAt: null,
    endedAt: null,
    reason: null,
    result: null,
    instances: [],
    going: 0,
    ...fields,
  });
}

/** Each, and behind a map its instances. */
export function* allSteps({ steps }: FlowRow): Iterable<FlowStepRow> {
  for (const step of steps.values()) {
    yield step;
    yield* step.instances;
  }
}

/** Whether nothing begins in it any more. */
export function isLeft({ verdict, ending }: FlowRow): boolean {
  return verdict !== null || ending !== null;
}

export function hasEnded({ state }: FlowStepRow): boolean {
  return state !== 'waiting' && state !== 'released';
}

/** What it ended as counts as good for its children and for the flow. */
export function hasEndedWell(step: FlowStepRow): boolean {
  const { state, definition } = step;
  return state === 'succeeded' || state === 'skipped' || (definition.allowFailure && hasEnded(step));
}

/** Of a map the results of its instances. */
export function resultOf({ result, instances }: FlowStepRow): JsonValue {
  return instances.length === 0 ? result : instances.map((each) => each.result);
}

/** Counts the end of a parent for a child of it. */
export function countParent(child: FlowStepRow, parent: FlowStepRow): void {
  if (hasEndedWell(parent)) child.ok++;
  else child.bad++;
  if (parent.state === 'skipped') child.skips++;
}

/** Whether a run is a workflow that goes on: no pause of its job or of its handler stops that, so neither its deadline. One that is a step of another is held by the pause of that. */
export function isTimedFlow({ flows }: MemoryTables, { id, open }: RunRow): boolean {
  return open !== null && flows.get(id)?.verdict === null;
}
