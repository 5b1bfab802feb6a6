import type { ChronisEventName } from '../index.js';

/** What a channel is told: texts are without secrets, and of a bounded length. @publicApi */
export interface Alert {
  state: 'firing' | 'resolved';
  /** The `name` of the rule, or which one it is, such as `rule 1`. */
  rule: string;
  event: ChronisEventName;
  /** The same for all alerts of one kind, firing and resolved: what a receiver may group by. */
  group: string;
  /** One line of 200 characters at most. */
  title: string;
  /** 2,000 characters at most. */
  text: string;
  /** How often this process has seen it since the last alert of the group. */
  count: number;
  /** The process that tells, for people. */
  instance: string;
  at: Date;
  namespace?: string;
  jobId?: string;
  runId?: string;
  handler?: string;
  queue?: string;
  fingerprint?: string;
}

/** Where alerts go: `webhook()`, `slack()`, or a class of your own. @publicApi */
export abstract class AlertChannel {
  /** For the log: no secrets, such as `webhook of ops.example.com`. @default the name of the class */
  get name(): string {
    return this.constructor.name;
  }

  /**
   * Resolves when the alert is there. What it throws is tried again, up to four times in all, unless it is a DeliveryError that says otherwise. `signal` fires after ten seconds, and then nobody waits any more.
   */
  abstract send(alert: Alert, signal: AbortSignal): Promise<void>;
}

/** Why an alert or a ping was not taken; its message has no secrets. @publicApi */
export class DeliveryError extends Error {
  constructor(
    message: string,
    /** False: another try would come to the same. */
    readonly again: boolean = true,
    /** How long the receiver asks to wait; null: it does not say. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}
