import type { JsonValue } from '../model/json.js';
import type { Page } from '../model/job.js';
import type { Policies } from '../model/policies.js';
import type { Run } from '../model/run.js';
import type { StepVerdict } from '../model/verdict.js';
import type { EpochMs } from './epoch.ms.js';
import type { PageRequest } from './queries.js';

/** What becomes of a step when too few of its parents can still end well: it waits for ever · it is cancelled, and so what comes after it · it runs once all of them have ended. */
export type Otherwise = 'block' | 'cancel' | 'run';

/** `data`: the child may read its result; else the parent only has to have ended. */
export interface FlowEdge {
  parent: string;
  data: boolean;
}

/** A step of a flow, to be stored. Checked by the caller: names are unique, parents exist, there is no cycle. */
export interface NewFlowStep {
  /** Unique in its flow. */
  name: string;
  after: readonly FlowEdge[];
  /** How many of the parents have to end well: 1 to their number; 0 without parents. */
  need: number;
  otherwise: Otherwise;
  /** From when its parents allow it on. */
  delayMs: number;
  /** Whatever it ends as counts as well ended for its children and for the flow. */
  allowFailure: boolean;
  /** One instance for each item of the result of its only data parent. */
  map: boolean;
  /** `manual`: born open, so that its verdict comes from outside. */
  kind: 'handler' | 'manual';
  /** How long a manual step may stay open; null: for ever. */
  deadlineMs: number | null;
  handler: string;
  queue: string;
  priority: number;
  policies: Partial<Policies>;
  /** null: the params of the flow. Instances of a map get their item. */
  payload: JsonValue;
}

/** What a run opens as: a graph of steps, whose end is the verdict of the run. */
export interface NewFlow {
  workflow: string;
  /** Of its definition; null: it has none. */
  version: number | null;
  params: JsonValue;
  steps: readonly NewFlowStep[];
}

/** How a step of a flow has ended, beside the outcome of its attempt. Counts only where that is `succeeded`. */
export interface StepEnd {
  /** It has nothing to do: its verdict is `skipped`. @default null: it has run */
  skipped?: string | null;
  /** Steps that the flow gets by this end. Their parents are among them, or any that the flow has and this step itself. */
  added?: readonly NewFlowStep[];
  /** Edges from added steps, or this one, to steps of the flow that have not been released yet: those wait for these as well, and need them all. */
  joined?: readonly { parent: string; child: string; data: boolean }[];
}

/** `waiting`: for parents · `released`: its run is there (delayed, waiting, running or open) · `blocked`: its flow is over and it has never been released · else its verdict. */
export type FlowStepState = 'waiting' | 'released' | 'blocked' | StepVerdict;

/** A step of a flow as it is. A map is one of them, and each of its instances is another, with `nth`. */
export interface FlowStep {
  name: string;
  nth: number | null;
  state: FlowStepState;
  after: readonly FlowEdge[];
  need: number;
  otherwise: Otherwise;
  delayMs: number;
  allowFailure: boolean;
  map: boolean;
  kind: 'handler' | 'manual';
  handler: string;
  /** Its latest run; null: it has had none. */
  runId: string | null;
  /** Parents that have ended well, skipped ones included, and those that have not. */
  ok: number;
  bad: number;
  releasedAt: EpochMs | null;
  endedAt: EpochMs | null;
  /** Of a skipped step its reason; of one that failed its error; null: none. */
  reason: string | null;
  /** null also where it was not asked for. */
  result: JsonValue;
}

export interface Flow {
  /** The run that it is. */
  runId: string;
  workflow: string;
  version: number | null;
  namespace: string;
  params: JsonValue;
  openedAt: EpochMs;
  endedAt: EpochMs | null;
  pausedAt: EpochMs | null;
  /** Null: it goes on. `cancelled` also where its run was ended from outside, or has timed out: then the run tells. */
  verdict: 'succeeded' | 'failed' | 'cancelled' | null;
  /** The run of which its run is a retry by hand. */
  retryOf: string | null;
  /** How many steps are in which state, instances of maps included; states without steps are left out. */
  counts: Partial<Record<FlowStepState, number>>;
}

export interface FlowFilter {
  namespace?: string;
  workflow?: string;
  /** `active`: without verdict. */
  state?: 'active' | 'succeeded' | 'failed' | 'cancelled';
}

export interface FlowStepFilter {
  /** Steps of these names, with their instances. */
  names?: readonly string[];
  /** Of instances only, or of none. */
  instances?: boolean;
  /** Whether their results come along; they may be large, so pages are cut by their size as well. @default false */
  results?: boolean;
}

/**
 * Graphs of steps whose end is the verdict of an open run. What it promises beside `settle`, which begins them (`Settlement.flow`) and moves them on (`Settlement.flowStep`):
 *
 * A step is released, so that its run is born, by the same transaction that ends the last parent it needs, whatever ends that: a settlement, a lost worker, a cancel, a verdict from outside. One flow has one writer at a time.
 * A step ends well (`succeeded`, `skipped`, or anything with `allowFailure`) or not (`failed`, `timed_out`, `lost`, `cancelled`). With as many well ended parents as it needs it is released, after `delayMs`; where that cannot
 * be reached any more, `otherwise` says what becomes of it. A step whose parents have all been skipped is skipped. A map is released like any step, into one instance for each item of its parent's result (in the order of the items; a parent that is a map gives
 * the results of its instances); it has ended when all instances have, well if all of them have; an empty one, or one whose parent was skipped, is skipped. What is no array fails the map.
 *
 * When nothing is released, and nothing can be, the flow is over, in the same transaction: `succeeded` if every step has ended well, else `failed`; steps that were never released are `blocked`. Its run gets this as its verdict, as by `settleOpen`: with the results of the steps
 * without children, by their names, as its result (null above `maxFlowResult` characters), or an error that names the steps that have not ended well; its callback is born, and where it is a step of another flow, that goes on. When its run ends
 * otherwise (cancelled, timed out, a verdict from outside), what waits of its steps is cancelled, and the workers of those that run are asked.
 *
 * Runs of steps are one-offs that nobody else sees by an id of a job: the job id is that of the flow's run and the step's name (`12/load`, `12/load.3`), the origin `workflow`; they are no dead letters, as their flow is.
 */
export interface FlowStorage {
  /** Null: no flow has been opened by this run. */
  getFlow(runId: string): Promise<Flow | null>;
  /** The newest first. */
  queryFlows(filter: FlowFilter, page: PageRequest): Promise<Page<Flow>>;
  /** In the order in which they were stored, instances of a map in the order of their items behind it. Null: no such flow. */
  queryFlowSteps(runId: string, filter: FlowStepFilter, page: PageRequest): Promise<Page<FlowStep> | null>;
  /** Holds the runs of its steps that wait, and those that are born until `resumeFlow`; what runs goes on. False: there is no such flow, or it is over. */
  pauseFlow(runId: string): Promise<boolean>;
  resumeFlow(runId: string): Promise<boolean>;
  /**
   * Gives a flow that is over, and has not succeeded, a new run (open, origin `retry`, `retryOf` the old one), and these steps, by default all that have not ended well and are released or cancelled, another one: with all
   * that has come after them, which waits again. What has ended well besides stays. The old run's dead letter goes. Null: no such flow, or it goes on, or it has succeeded. Throws InvalidOptionError for a step that it lacks, or that is blocked itself.
   */
  retryFlow(runId: string, steps: readonly string[] | null): Promise<Run | null>;
  /** Deletes flows that were over before this time, with their steps, into the history where there is one; `limit` at most, and no flow of which an ancestor goes on. Returns how many. */
  pruneFlows(endedBefore: EpochMs, limit: number): Promise<number>;
  /** Ends what a release without flows has ended without telling the flow. Bounded work a call; returns how many steps it were. */
  reconcileFlows(): Promise<number>;
}

/** The longest result of a step, in characters of JSON. */
export const maxStepResult = 1_048_576;
/** The longest result of a flow, which the ledger keeps. */
export const maxFlowResult = 65_536;
