import { ChronisError } from './chronis.error.js';

/** No job has this id in this namespace. @publicApi */
export class JobNotFoundError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
    /** The id that was probably meant; null: none is near. */
    readonly meant: string | null = null,
  ) {
    super(
      'CHRONIS_JOB_NOT_FOUND',
      `There is no job "${jobId}" in the namespace "${namespace}". ${
        meant === null
          ? 'It may have been deleted, or be finished: a one-off is only kept as a job for as long as `keep` says. Declared jobs are stored when the application has started, after onModuleInit().'
          : `Did you mean "${meant}"?`
      }`,
    );
  }
}

/** The id is taken in this namespace. @publicApi */
export class JobAlreadyExistsError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
    problem = "Choose another id, delete or update the existing job, or create it with onConflict: 'ignore' or 'replace'.",
  ) {
    super(
      'CHRONIS_JOB_ALREADY_EXISTS',
      `A job "${jobId}" already exists in the namespace "${namespace}". ${problem}`,
    );
  }
}

/** The job was changed by somebody else since it was read. @publicApi */
export class StaleJobError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
  ) {
    super(
      'CHRONIS_STALE_JOB',
      `The job "${jobId}" in the namespace "${namespace}" was changed by somebody else. Read it again and repeat the change.`,
    );
  }
}

/** A declaration in the code wants an id that belongs to a job of another origin. @publicApi */
export class JobIdTakenError extends ChronisError {
  constructor(
    readonly jobId: string,
    readonly namespace: string,
    place: string,
    /** Whose code declares the other job; null: it was created at run time; undefined: another app has taken it over, under another id. */
    app: string | null | undefined,
  ) {
    const wanted = `${place} declares the job "${jobId}" in the namespace "${namespace}", but`;
    super('CHRONIS_JOB_ID_TAKEN', `${wanted} ${takenBy(app)}`);
  }
}

function takenBy(app: string | null | undefined): string {
  if (app === undefined) {
    return 'another app has taken this job over, with its method, under another id (previousApps and previousIds). Take the declaration away, or end the processes of that app: ten minutes later the job is had back.';
  }
  const holder = app === null ? 'that was created at run time' : `of the app "${app}"`;
  const takeOver =
    app === null
      ? ' Or delete the other job by deleteJob(), if nobody needs it any more.'
      : ' If this app is to have it from now on, with its history: name the other app in previousApps, or end its processes; after ten minutes without any the job is taken over.';
  return `this id belongs to a job ${holder}. Give the declaration an id or namespace of its own.${takeOver}`;
}

/** A job id is empty, too long or holds characters that cannot be stored. @publicApi */
export class InvalidJobIdError extends ChronisError {
  /** What is wrong with the job. */
  readonly option = 'id';

  constructor(problem: string, code = 'CHRONIS_INVALID_JOB_ID') {
    super(code, problem);
  }
}

/** A job id was given and is empty. @publicApi */
export class EmptyJobIdError extends InvalidJobIdError {
  constructor(fix = 'Give a non-empty string, or leave the id out to have one generated.') {
    super(`The job id is empty. ${fix}`, 'CHRONIS_EMPTY_JOB_ID');
  }
}

/** Two declarations in the code claim one id. @publicApi */
export class DuplicateJobError extends ChronisError {
  constructor(
    readonly jobId: string,
    first: string,
    second: string,
    /** Whether the code has it twice, or lists that may change. */
    readonly by: 'methods' | 'lists' = 'methods',
  ) {
    super(
      'CHRONIS_DUPLICATE_JOB',
      by === 'lists'
        ? `Two lists of jobs have the job "${jobId}": ${first} and ${second}. Give one of them another id, or take it out. That of the first holds.`
        : first === second
          ? `The method ${first} declares the job "${jobId}" twice. Give one of its decorators another id: { id: '…' }.`
          : `Two methods declare the job "${jobId}": ${first} and ${second}. Give one of them another id: { id: '…' }.`,
    );
  }
}
