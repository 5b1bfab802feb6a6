/** What an app has got of other apps, of jobs that were made at run time. */
export interface Inheritance {
  /** How many jobs, and runs of jobs that are gone. */
  taken: number;
  /** Apps that keep what they have for the time being: a live worker of theirs is there, or somebody has locked some of it. */
  open: string[];
}
