import type { Trigger } from '../../lib/index.js';
import type { Period } from './chaos.options.js';
import type { Execution } from './executions.js';

/** Something that was done. Times in ms by the clock of the machine. */
export interface FaultNote {
  kind: string;
  /** The process of the worker that it was done to. */
  pid: number | null;
  at: number;
  until: number;
  /** Nobody could work meanwhile. */
  outage?: boolean;
  /** What was committed between then and the end of the fault may be lost. */
  lostFrom?: number;
  /** Jobs whose rows somebody held meanwhile: they may wait, and no others. */
  jobs?: readonly string[];
  /** For people. */
  what?: string;
}

/** The life of a worker as its event loop saw it: from its first turn on, with the times in which nothing of it turned. */
export interface LoopNote {
  pid: number;
  from: number;
  stalls: { from: number; until: number }[];
}

/** When a process had no answer to the simplest question from the server, though it asked again and again by the way that all of it goes. */
export interface SilenceNote {
  pid: number;
  from: number;
  until: number;
}

/** When a process knew that it was told of nothing: it had lost the connection that it listens on, and had not listened anew yet. */
export interface DeafNote {
  pid: number;
  from: number;
  until: number;
}

/** How long it takes from one look at who has which run to the next. */
export const lookEveryMs = 500;

/** A run that was in the hands of a worker whenever one looked between `firstAt` and `lastAt`. */
export interface Sighting {
  runId: string;
  fence: number;
  jobId: string;
  pid: number | null;
  firstAt: number;
  lastAt: number;
}

/** A change of a managed job that was confirmed: in force for certain from `confirmedAt`, until the next one of the job was asked for. */
export interface Change {
  jobId: string;
  /** For people. */
  call: string;
  askedAt: number;
  /** What failed was asked for again; when that was the last time. */
  askedLastAt: number;
  confirmedAt: number;
  /** null: the job is deleted. */
  trigger: Trigger | null;
  paused: boolean;
}

/** An attempt as the ledger has it. */
export interface LedgerRow {
  runId: string;
  jobId: string;
  nominalAt: number;
  attempt: number;
  fence: number;
  outcome: string;
  final: boolean;
  /** A process that has lost its lease goes on as another worker. */
  worker: string | null;
  pid: number | null;
  startedAt: number | null;
  finishedAt: number;
}

export interface GapRow {
  jobId: string;
  from: number;
  until: number | null;
}

/** All that the rules are about. */
export interface Evidence {
  /** When the recurring jobs were due. */
  period: Period;
  leaseMs: number;
  /** How much longer than they should things may take on a machine that has other things to do. */
  slackMs: number;
  /** Whether the clock of the server was that of the machine. */
  sameClock: boolean;
  executions: readonly Execution[];
  loops: readonly LoopNote[];
  /** When the process of the test did not turn: the proxies are there, so nobody heard anything of the server. */
  proxyStalls: readonly { from: number; until: number }[];
  silences: readonly SilenceNote[];
  deaf: readonly DeafNote[];
  attempts: readonly LedgerRow[];
  gaps: readonly GapRow[];
  sightings: readonly Sighting[];
  changes: readonly Change[];
  faults: readonly FaultNote[];
}
