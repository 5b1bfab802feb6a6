import type { DurationInput } from '../../model/trigger.js';
import type { FindingCode } from './finding.codes.js';

/** How bad it is. `error`: jobs stand still, or may be lost · `warning`: they will, or are slower than they need be · `note`: worth knowing. @publicApi */
export type FindingSeverity = 'error' | 'warning' | 'note';

/** What mends it: statements for psql, a command of `chronis`, or words for what neither can do. @publicApi */
export interface Repair {
  by: 'sql' | 'command' | 'hand';
  text: string;
}

/** Something that is wrong, or about to be. Holds neither passwords nor payloads. @publicApi */
export interface Finding {
  /** Stays the same over releases; all are in docs/reference/doctor.md. */
  code: FindingCode;
  severity: FindingSeverity;
  /** What is wrong, and what comes of it. */
  sentence: string;
  /** What was read. Times are in ms, instants are ISO text. */
  evidence: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
  repair: Repair;
}

/** A check that could not be made: nothing is known of what it looks at. @publicApi */
export interface Unchecked {
  check: string;
  why: string;
  /** The role may not read what it needs. Else it took too long, was locked out, or was cut off, and may succeed the next time. */
  lacksRight: boolean;
}

/** What `diagnose()` has found. @publicApi */
export interface Diagnosis {
  /** By the clock of the server. */
  at: Date;
  /** `host:port/database`. */
  server: string;
  schema: string;
  /** The checks that were made, by name. */
  checked: readonly string[];
  unchecked: readonly Unchecked[];
  /** The worst first; empty: nothing is wrong by the checks that were made. */
  findings: readonly Finding[];
}

/** From when on something counts as wrong. @publicApi */
export interface DiagnoseOptions {
  /** What has been due for longer is overdue. @default '1m' */
  overdueAfter?: DurationInput;
  /** Transactions of anybody that are older hold back the clean-up of all tables. @default '15m' */
  longTransaction?: DurationInput;
  /** Pauses, and open runs without a deadline, that are older may have been forgotten. @default '7d' */
  forgottenAfter?: DurationInput;
  /** From so many runs on that gave up and are kept, they pile up. @default 1000 */
  deadLetters?: number;
  /** Deadline of each statement. @default '5s' */
  timeout?: DurationInput;
}
