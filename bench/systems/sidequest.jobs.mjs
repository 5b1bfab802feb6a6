import { Job } from 'sidequest';

/** What the jobs of this process call. */
export const handlers = { note: () => undefined };

export class NoopJob extends Job {
  run(data) {
    handlers.note(data);
  }
}

export class OtherJob extends Job {
  run() {}
}
