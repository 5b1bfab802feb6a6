import type { TaskContext } from '../../lib/index.js';
import { HttpExecutor, type HttpOptions, type HttpResult, type HttpTask } from '../../lib/executors/index.js';
import { httpSettings } from '../../lib/executors/http.options.js';

/** All of this machine may be called. */
export const local = { hosts: ['*'], addresses: ['127.0.0.0/8'] };

/** What is wrong with the task, each with its place; null: nothing. */
export async function problems(task: unknown, options: HttpOptions = local): Promise<string[] | null> {
  const result = await new HttpExecutor(httpSettings(options)).schema['~standard'].validate(task);
  return result.issues?.map(({ path, message }) => `${path?.map(String).join('.')}: ${message}`) ?? null;
}

/** Carries out a task, as a run with the id "run-7". */
export async function call(
  task: HttpTask,
  options: HttpOptions = local,
  signal = new AbortController().signal,
): Promise<HttpResult> {
  const executor = new HttpExecutor(httpSettings(options));
  const result = await executor.schema['~standard'].validate(task);
  if (result.issues) throw new Error(result.issues.map(({ message }) => message).join('; '));
  return executor.execute(result.value, { runId: 'run-7', signal } as TaskContext);
}

/** What a call rejects with. */
export async function failure(...args: Parameters<typeof call>): Promise<Error> {
  return call(...args).then(
    (result) => Promise.reject(new Error(`It came to ${JSON.stringify(result)}.`)),
    (error: Error) => error,
  );
}
