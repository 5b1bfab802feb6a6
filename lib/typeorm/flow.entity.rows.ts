import type { Policies } from '../model/policies.js';
import type { RunVerdict, StepVerdict } from '../model/verdict.js';
import type { Otherwise } from '../ports/storage.adapter.js';

// As those of entity.rows.ts.

/** A workflow that runs or has run. @publicApi */
export interface ChronisFlow {
  id: string;
  runId: string;
  /** Steps that are released and have not ended. */
  active: number;
  /** Of one that is no step of another: how many steps it and those in it have had since it began, or was retried. */
  steps: number;
  version: number | null;
  depth: number;
  /** The workflow of which its run is a step. */
  parent: string | null;
  /** The one that is no step of another, in which it is; null: it is none itself. */
  root: string | null;
  retryOf: string | null;
  /** The run that it was before all retries; null: it was not retried. */
  firstRun: string | null;
  jobUid: string | null;
  openedAt: Date;
  endedAt: Date | null;
  pausedAt: Date | null;
  /** When it was decided from outside how it ends; null: it was not. */
  endingAt: Date | null;
  /** Of one that is ending: when its run is tried again. */
  retryAt: Date | null;
  verdict: 'succeeded' | 'failed' | 'cancelled' | null;
  nominalAt: Date;
  /** For how long its run may be open. */
  deadlineMs: number | null;
  workflow: string;
  namespace: string;
  app: string | null;
  timeZone: string;
  /** Where it is, whatever run it has; null: of a release before schema version 6. */
  place: string | null;
  params: unknown;
  /** That of the attempt that opened it, see `TraceCarrier`; null: it was in none. */
  trace: string | null;
  /** How, with `outcome`, `error`, `fingerprint` and `result`. */
  ending: unknown;
}

/** A step of a workflow, or one instance of a map. @publicApi */
export interface ChronisFlowStep {
  id: string;
  flow: string;
  /** null: it is no instance of a map. */
  mapOf: string | null;
  /** The step whose end has added it; null: it was there from the beginning. */
  addedBy: string | null;
  /** Which item of the map, from 0; -1: it is no instance. */
  nth: number;
  parents: number;
  need: number;
  ok: number;
  bad: number;
  skipped: number;
  /** Instances of a map; null: it has not been released. */
  items: number | null;
  itemsOk: number;
  itemsBad: number;
  /** Characters of JSON; 0: it has none. */
  resultSize: number;
  runId: string | null;
  releasedAt: Date | null;
  endedAt: Date | null;
  verdict: StepVerdict | null;
  priority: number;
  allowFailure: boolean;
  isMap: boolean;
  delayMs: number;
  deadlineMs: number | null;
  name: string;
  otherwise: Otherwise;
  kind: 'handler' | 'manual';
  handler: string;
  queue: string;
  policies: Partial<Policies>;
  payload: unknown;
  reason: string | null;
  result: unknown;
}

/** Which step of a workflow comes after which. @publicApi */
export interface ChronisFlowEdge {
  parent: string;
  child: string;
  data: boolean;
}

/** Which one-off waits, or has waited, for which. @publicApi */
export interface ChronisRunWait {
  /** The run that waits. */
  child: string;
  /** Which of those that it waits for, from 0. */
  nth: number;
  /** The run that it waits for. */
  parent: string;
  /** The id of that one's job. */
  parentId: string;
  /** null: it has not ended. */
  verdict: RunVerdict | null;
  /** It has not succeeded, and can never be retried. */
  gone: boolean;
}
