import { HttpProblem } from './problem.js';

/** What the API can do to jobs, runs and workflows, by the names that the audit has for it. @publicApi */
export const httpActions = [
  'create',
  'update',
  'reset',
  'pause',
  'resume',
  'delete',
  'cancel',
  'runNow',
  'backfill',
  'cancelRun',
  'retryRun',
  'discardRun',
  'complete',
  'fail',
  'signal',
  'pauseScope',
  'resumeScope',
  'pauseMany',
  'resumeMany',
  'cancelMany',
  'deleteMany',
  'retryFailed',
  'discardFailed',
  'abortMany',
  'workflow.start',
  'workflow.cancel',
  'workflow.pause',
  'workflow.resume',
  'workflow.retry',
  'workflow.complete',
  'workflow.fail',
  'workflow.prune',
  'definition.define',
  'definition.delete',
] as const;

/** @publicApi */
export type HttpAction = (typeof httpActions)[number];

/** What somebody may do: nothing, look, everything, or look and do what is named. @publicApi */
export type HttpAccess = 'none' | 'read' | 'all' | readonly HttpAction[];

/** Throws an Error for what is none of these: it is the application's code that is wrong, and nobody is let in. */
export function assertAccess(access: unknown): asserts access is HttpAccess {
  if (access === 'none' || access === 'read' || access === 'all') return;
  if (Array.isArray(access)) {
    const unknown = access.find((action) => !httpActions.includes(action as HttpAction)) as unknown;
    if (unknown === undefined) return;
    throw new Error(
      `The option "access" of ChronisHttpModule gave the action ${JSON.stringify(unknown)}. There are: ${httpActions.join(', ')}.`,
    );
  }
  throw new Error(
    `The option "access" of ChronisHttpModule must give 'none', 'read', 'all' or a list of actions, but gave ${JSON.stringify(access) ?? 'undefined'}.`,
  );
}

export function mayDo(access: HttpAccess, needs: 'read' | HttpAction): boolean {
  if (access === 'none') return false;
  if (access === 'all' || needs === 'read') return true;
  return access !== 'read' && access.includes(needs);
}

/** Throws HttpProblem (403). */
export function assertMayDo(access: HttpAccess, needs: 'read' | HttpAction): void {
  if (mayDo(access, needs)) return;
  const what = needs === 'read' ? 'look at anything' : `do "${needs}"`;
  throw new HttpProblem(403, 'http.not-permitted', `You may not ${what} here.`);
}
