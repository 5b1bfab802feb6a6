/** A job of which a due instant was not begun within its `lateAfter`, and is neither paused nor over: the earliest one. @publicApi */
export interface OverdueJob {
  namespace: string;
  id: string;
  /** The instant that the schedule names. */
  dueAt: Date;
  /** How late it may begin, in milliseconds. */
  lateAfterMs: number;
}
