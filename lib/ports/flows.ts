import type { JsonValue } from '../model/json.js';
import type { Page } from '../model/job.js';
import { policyOf, type Policies } from '../model/policies.js';
import type { ClaimedRun, Run } from '../model/run.js';
import type { UnservedStep } from '../model/unserved.step.js';
import { isFailure, type Outcome, type RunVerdict, type StepVerdict } from '../model/verdict.js';
import type { Otherwise } from '../model/workflow.js';
import type { EpochMs } from './epoch.ms.js';
import type { FlowEnding } from './flow.ending.js';
import type { Settlement } from './loop.js';
import type { PageRequest } from './queries.js';

export type { UnservedStep } from '../model/unserved.step.js';

export type { Otherwise } from '../model/workflow.js';

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
  /** `manual`: born open (at once, whatever its delay), as if its first attempt had left it open, so that its verdict comes from outside. */
  kind: 'handler' | 'manual';
  /** How long a manual step may stay open, from the end of its delay on; null: for ever. */
  deadlineMs: number | null;
  handler: string;
  queue: string;
  priority: number;
  policies: Partial<Policies>;
  /** null: the params of the flow, for an instance of a map its item. */
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
  /**
   * Steps that the flow gets by this end. Their parents are among them, or any that the flow has and this step itself, also such as have ended. What a batch of settlements adds is there before what it ends is counted.
   * The settlement rejects with InvalidWorkflowError, and nothing is written, where the flow has a step of that name, lacks a parent or a child, has released the child of an edge, or would get a cycle. Of no account once the flow is over.
   */
  added?: readonly NewFlowStep[];
  /** Edges from added steps, or this one, to steps of the flow that have not been released yet: those wait for these as well, and need one more of their parents for each. A map only waits, as it has its list from one parent. */
  joined?: readonly { parent: string; child: string; data: boolean }[];
}

/** `waiting`: for parents · `released`: its run is there (delayed, waiting, running or open) · `blocked`: its flow is over and it has never been released · else its verdict. */
export type FlowStepState = 'waiting' | 'released' | 'blocked' | StepVerdict;

/** A step of a flow as it is. A map is one of them, and each of its instances is another, with `nth` (from 0): no map itself, and without parents. */
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
  /** Its latest run; null: it has had none, as a map has not, or waits again after a retry. */
  runId: string | null;
  /** Parents that have ended well, skipped ones included, and those that have not. */
  ok: number;
  bad: number;
  releasedAt: EpochMs | null;
  endedAt: EpochMs | null;
  /** Of a skipped step its reason; of one that failed its error; of one that has succeeded why its result was not kept; null: none is known. */
  reason: string | null;
  /** null also where it was not asked for, and of a map, as its instances have it. */
  result: JsonValue;
}

/** A step that a worker has in its hands, of a flow or of one within it. */
export interface RunningStep {
  name: string;
  /** Of an instance of a map, from 0. */
  nth: number | null;
  /** The run of the flow that it is a step of, and its workflow. */
  flowRunId: string;
  workflow: string;
}

/** How a flow has ended. */
export type FlowVerdict = 'succeeded' | 'failed' | 'cancelled';

/** That of a flow whose run has ended so, from outside. */
export function flowVerdictOf(outcome: RunVerdict): FlowVerdict {
  return outcome === 'succeeded' || outcome === 'failed' ? outcome : 'cancelled';
}

export interface Flow {
  /** The run that it is. */
  runId: string;
  workflow: string;
  version: number | null;
  namespace: string;
  /** Whose handlers its steps call; null: those of any. */
  app: string | null;
  params: JsonValue;
  /** Of one that is retried when that was. */
  openedAt: EpochMs;
  endedAt: EpochMs | null;
  /** Null: it is not paused, or it is over. */
  pausedAt: EpochMs | null;
  /** Null: it goes on. Where its run was ended from outside it is the verdict of that; `cancelled` stands for all but `succeeded` and `failed`: then the run tells. */
  verdict: FlowVerdict | null;
  /** What its run ends as once none of its steps is in the hands of a worker, as was decided from outside; null: nothing was, or it is over. */
  ending: RunVerdict | null;
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
 * be reached any more, `otherwise` says what becomes of it. A parent that was skipped is as if it were not there: a step needs as many of the others, or all of them if they are fewer. A step whose parents have all been skipped is skipped, whatever it needs. What ends together (by one call, and then all that is decided by that) is counted before anything is decided. A map is released like any step, into one instance for each item of its parent's result (in the order of the items; a parent that is a map gives
 * the results of its instances); it has ended when all instances have, well if all of them have; an empty one, or one whose data parent was skipped, is skipped. What is no array, or has more than `maxMapItems` items, or more than `maxFlowSteps` leave, fails the map, also as its data parent goes on, where it does not need all. A map itself ends as `skipped`, `succeeded` or `failed`; an instance without result gives null.
 *
 * When nothing is released, and nothing can be, the flow is over, in the same transaction: `succeeded` if every step has ended well, else `failed`; steps that were never released are `blocked`. Its run gets this as its verdict, as by `settleOpen`: with the results of the steps
 * without children, by their names, as its result (of a map a list; above `maxFlowResult` characters null, with `flowResultNotKept` as its error), or an error that names the steps that have not ended well; its callback is born, and where it is a step of another flow, that goes on. Where it is decided
 * otherwise how its run ends (a cancel, a timeout, a verdict from outside, or that its next attempt is due), what waits of its steps is cancelled, and the workers of those that run are asked: how these end is on record, and sets nothing off. Its run is open until none of them is in the hands of a worker (`Flow.ending`), without a deadline: then it has the verdict that was decided first, in the transaction that ends the last of them; at once, if none is. `settleOpen` finds it not open, `cancelRun` answers `requested`, and it is neither paused nor resumed. A later cancel takes away that it is tried again. A run
 * that opens as a flow once more, in a later attempt, forgets the one before: a run is one flow at most. All steps that a flow and those in it get are counted where that is no step of another: a settlement by which there would be more than `maxFlowSteps`, as it opens a flow or adds steps, rejects with InvalidWorkflowError, and nothing is written.
 *
 * Runs of steps are one-offs that nobody else sees by an id of a job: the job id is that of the flow's run and the step's name (`12/load`, `12/load.3`), the origin `workflow`; they are no dead letters, as their flow is. They have the namespace, the app
 * and the time zone of the flow's run, and no metadata.
 */
export interface FlowStorage {
  /** Null: this run is no flow, also one of which the flow was retried: that is the new run's. */
  getFlow(runId: string): Promise<Flow | null>;
  /** The run that a flow is by now which was this run first, and was retried since; null: none was. */
  laterRun(runId: string): Promise<string | null>;
  /** Those of the newest runs first. */
  queryFlows(filter: FlowFilter, page: PageRequest): Promise<Page<Flow>>;
  /** In the order in which they were stored, instances of a map in the order of their items behind it. Null: no such flow. */
  queryFlowSteps(runId: string, filter: FlowStepFilter, page: PageRequest): Promise<Page<FlowStep> | null>;
  /** Which steps workers have in their hands, of the flow of this run and of all that are steps of it, to whatever depth, also once it is over; and those whose places (`ClaimedStep.place`) are among `givenUp`, which the process that asks still executes, whatever run of the step that was, or among what a worker whose lease holds has told as such (`StorageAdapter.renew`), though they may have their verdict. Empty also: no such flow. */
  queryRunningSteps(runId: string, givenUp?: readonly string[]): Promise<RunningStep[]>;
  /** Holds the runs of its steps that wait, and those that are born until `resumeFlow`; what runs goes on. So are flows that are steps of it, to whatever depth, also those that open meanwhile. One that is paused stays as it is. False: there is no such flow, or it is over, or ending. */
  pauseFlow(runId: string): Promise<boolean>;
  /** What waits is due at its old time, that of flows that are steps of it included. False: as of `pauseFlow`. */
  resumeFlow(runId: string): Promise<boolean>;
  /**
   * Gives a flow that is over, and has not succeeded, a new run (open for as long as the old one was to be, origin `retry`, `retryOf` the old one) and lets it go on. By default all steps
   * that have not ended well and are released or cancelled run again, and nothing else: whatever of its parents runs again, what has ended well stays, with what comes after it. A step that had begun, and all of whose parents have ended well, gets another run at once; the others when their parents let them by the usual rules. With names these steps get another run, as soon as those of their parents that get one as well let them, whatever the others have come to, and all that comes after them waits again, however it has ended, and begins anew; what has ended well besides stays. What the end of the flow from outside has cancelled has not ended well, also with `allowFailure`. Of a map that has not ended well the instances that have not get another run; they wait with it, where it does, and have then what a parent that is a map has come to as their items; one that had ended well, or comes after what is named, is made anew. What a step has added that gets another run, or waits again, goes, as it adds that again. A step that stays and has got one of these as a parent by that (`joined`) waits for who adds it again in its place. A run that follows one that has not ended well has its durable steps and the signals that none of them has taken, and a fence above 0 before its first claim, by which its first attempt knows of them. All is of the app to which the job belongs by now. The old run's dead letter goes. `trace`: what begins of it from now on carries that, see `CarriedTrace`; undefined: that of what has opened it, or of its last retry with one.
   *
   * Null: no such flow, it goes on, it has succeeded, or its job is gone, or its run is not kept: was retried or discarded as that of a job, or had a good verdict from outside. Of a recurring job one that was cancelled need not be kept: that the ledger says so is enough. Throws InvalidOptionError for a step that it lacks, or that is blocked, where nothing that it waits for runs again, and for a flow that is a step of another: that is to be retried, by this step; WorkflowRunStateError (see `stillRuns`) where one of these, or one that waits and may begin by that, or a step of a workflow that one of them is or was, was given up and goes on (see `queryRunningSteps`): it would run twice at once; and (`wouldBeLost`) where a step that others have added, which do not run again, comes after one that goes.
   */
  retryFlow(
    runId: string,
    steps: readonly string[] | null,
    givenUp?: readonly string[],
    trace?: string,
  ): Promise<Run | null>;
  /** Deletes flows that were over before this time, with their steps; `limit` at most, and no flow of which an ancestor goes on. `archived`: into the history, where the storage has one, by the same statement. Returns how many. */
  pruneFlows(endedBefore: EpochMs, limit: number, archived?: boolean): Promise<number>;
  /** Which handlers, besides these, the steps call that have not ended, of the `limit` oldest flows of the app (and of those without one) that go on: by workflow, version and handler. */
  unservedSteps(app: string, handlers: readonly string[], limit: number): Promise<UnservedStep[]>;
  /** Ends what a release without flows has ended without telling the flow. Bounded work a call; returns how many steps it were. */
  reconcileFlows(): Promise<number>;
}

/** What a call reads of workflows that may be part of a transaction. @publicApi */
export type FlowReads = Pick<
  FlowStorage,
  'getFlow' | 'laterRun' | 'queryFlows' | 'queryFlowSteps' | 'queryRunningSteps'
>;

/** What users do with workflows, and what is read for that: all of it can also be part of a transaction of theirs, as `JobStore` can. @publicApi */
export type FlowStore = FlowReads & Pick<FlowStorage, 'pauseFlow' | 'resumeFlow' | 'retryFlow'>;

/** The same with all that can be put on record. @publicApi */
export type AuditedFlowStore = FlowStore & Pick<FlowStorage, 'pruneFlows'>;

/** The most instances of a map. */
export const maxMapItems = 10_000;
/** The most steps of a flow with all flows in it, instances of maps included, from its begin or its last retry on. */
export const maxFlowSteps = 1_000_000;
/** The longest result of a step, in bytes of JSON. */
export const maxStepResult = 1_048_576;
/** The longest result of a flow, which the ledger keeps, in characters of JSON. */
export const maxFlowResult = 65_536;
/** A flow that is over, and the verdict of its run. @publicApi */
export interface FlowOver {
  run: ClaimedRun;
  settlement: Settlement;
  /** Who has decided how it ends has told of that: a timeout, or a verdict from outside. False: it follows from its steps, or was cancelled. */
  isTold: boolean;
}

/** See `FlowOver.isTold`. */
export function flowOver(
  run: ClaimedRun,
  settlement: Settlement,
  ending: Pick<FlowEnding, 'outcome'> | null,
): FlowOver {
  return { run, settlement, isTold: ending !== null && ending.outcome !== 'cancelled' };
}

/** Whether this end of a run may be one too many for its job (`pauseAfterFailures`). That of a retry by hand is that of the same occurrence. */
export function mayPauseJob(
  { jobUid, origin, policies }: Pick<ClaimedRun, 'jobUid' | 'origin' | 'policies'>,
  outcome: Outcome,
): boolean {
  return (
    jobUid !== null &&
    origin !== 'retry' &&
    isFailure(outcome) &&
    policyOf(policies, 'pauseAfterFailures') !== null
  );
}

/** In place of a result that is longer: the error of a run that has succeeded, and the reason of a step that is a flow. */
export const flowResultNotKept = `The result was not kept: it has more than ${maxFlowResult} characters as JSON. Let the last steps return less, such as where it is.`;
