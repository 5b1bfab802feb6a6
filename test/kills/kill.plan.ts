/** What a process that is to be killed works on, and where it ends itself; null: it is killed from outside. */
export interface KillPlan {
  path: string;
  round: number;
  /** Which action on a file is its last, counted from the first write on, and how far that comes. */
  end: { action: number; place: 'before' | 'within' | 'after' } | null;
}

/** What it tells, a line each. `begin`: it may have been done when it ends. */
export type Told =
  | { kind: 'found'; jobs: string[]; runs: [runId: string, jobId: string][] }
  | { kind: 'begin' | 'done'; act: 'create' | 'delete' | 'settle'; id: string };
