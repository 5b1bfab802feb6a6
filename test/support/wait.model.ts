/** What becomes of a job when too few of those that it waits for can succeed. */
export type Otherwise = 'block' | 'cancel' | 'run';

/** `gone`: it has not succeeded, and never will. */
export type ModelState = 'waiting' | 'ready' | 'running' | 'succeeded' | 'failed' | 'gone';

export interface ModelJob {
  readonly id: string;
  readonly after: readonly string[];
  readonly need: number;
  readonly otherwise: Otherwise;
  state: ModelState;
  isPaused: boolean;
}

/** Jobs that wait for each other, told from the start each time: nothing is counted on the way. */
export class WaitModel {
  readonly jobs = new Map<string, ModelJob>();

  add(jobs: readonly Pick<ModelJob, 'id' | 'after' | 'need' | 'otherwise'>[]): void {
    for (const job of jobs) {
      const state = job.after.length === 0 ? 'ready' : 'waiting';
      this.jobs.set(job.id, { ...job, state, isPaused: false });
    }
  }

  at(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`There is no job "${id}".`);
    return job;
  }

  in(...states: ModelState[]): ModelJob[] {
    return [...this.jobs.values()].filter(({ state }) => states.includes(state));
  }

  /** Puts a job into a state, and all that waits into those that follow from it. */
  set(id: string, state: ModelState): void {
    this.at(id).state = state;
    for (let hasMoved = true; hasMoved;) {
      hasMoved = false;
      for (const job of this.in('waiting')) {
        const next = this.fateOf(job);
        if (next === 'waiting') continue;
        job.state = next;
        hasMoved = true;
      }
    }
  }

  /** Those that have not succeeded, of those that it waits for. */
  waitsFor({ after, state }: ModelJob): string[] | null {
    return state === 'waiting' ? after.filter((id) => this.at(id).state !== 'succeeded') : null;
  }

  private fateOf({ after, need, otherwise }: ModelJob): ModelState {
    const states = after.map((id) => this.at(id).state);
    const count = (...wanted: ModelState[]): number =>
      states.filter((state) => wanted.includes(state)).length;
    if (count('succeeded') >= need) return 'ready';
    if (otherwise === 'run')
      return count('succeeded', 'failed', 'gone') === after.length ? 'ready' : 'waiting';
    const hopeless = otherwise === 'cancel' ? count('failed', 'gone') : count('gone');
    return after.length - hopeless < need ? 'gone' : 'waiting';
  }
}
