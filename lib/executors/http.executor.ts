import {
  HttpFailedError,
  HttpRefusedError,
  RetryAfterError,
  TaskExecutor,
  type StandardSchema,
  type TaskContext,
} from '../index.js';
import { exchange, ExchangeError, ForbiddenAddress, type Answer, type Order } from './http.exchange.js';
import { hostOf } from './http.hosts.js';
import type { HttpSettings } from './http.options.js';
import { isRedirect, nextOf, type SecretParts } from './http.redirects.js';
import { httpResult, textOf, type HttpResult } from './http.result.js';
import { referencesIn, Secrets, shortestSecret } from './http.secrets.js';
import { headerProblem, httpSchema, refusalOf, type CheckedHttpTask, type HttpTask } from './http.task.js';
import { retryAfterMs } from './retry.after.js';

const mostRedirects = 5;
/** So much of the body is in the message of a failure. */
const shownOfBody = 2_000;
const tooManyRequests = 429;
const unavailable = 503;

/** Calls URLs of the hosts that are allowed. @publicApi */
@TaskExecutor('http', { packaged: true })
export class HttpExecutor implements TaskExecutor<CheckedHttpTask> {
  readonly schema: StandardSchema<HttpTask, CheckedHttpTask>;

  constructor(private readonly settings: HttpSettings) {
    this.schema = httpSchema(settings);
  }

  /** Throws HttpFailedError, HttpRefusedError, RetryAfterError, and the reason of the signal. */
  async execute(task: CheckedHttpTask, context: TaskContext): Promise<HttpResult> {
    const shown = shownUrl(task);
    const secrets = new Secrets((name) => this.secret(name, shown));
    const order = this.orderOf(task, context.runId, secrets, shown);
    const secret = this.secretParts(task, order, secrets);
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new ExchangeError(`it took longer than ${task.timeoutMs} ms`));
    }, task.timeoutMs);
    const stop = (): void => deadline.abort(context.signal.reason);
    context.signal.addEventListener('abort', stop, { once: true });
    try {
      context.signal.throwIfAborted();
      const answer = await this.follow(task, order, secret, deadline.signal, shown);
      if (isSuccess(answer.status, task.successStatus)) return httpResult(answer, secrets);
      throw failure(answer, shown, secrets);
    } catch (error) {
      context.signal.throwIfAborted();
      throw clean(error, shown, secrets);
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', stop);
    }
  }

  private async follow(
    task: CheckedHttpTask,
    first: Order,
    secret: SecretParts,
    signal: AbortSignal,
    shown: string,
  ): Promise<Answer> {
    let order = first;
    for (let redirects = 0; ; redirects++) {
      const refusal = refusalOf(order.url, this.settings);
      if (refusal !== null)
        throw new HttpRefusedError(`${shown}: ${redirects > 0 ? 'is redirected, and ' : ''}${refusal}.`);
      const isFollowed = (status: number): boolean =>
        task.followRedirects && isRedirect(status) && !isSuccess(status, task.successStatus);
      const answer = await exchange(order, this.settings, signal, (status) => !isFollowed(status));
      const next = isFollowed(answer.status) ? nextOf(order, answer, secret) : null;
      if (next === null) return answer;
      if ('refused' in next)
        throw new HttpRefusedError(`${shown}: it redirects ${next.refused}, and that is not followed.`);
      if (redirects === mostRedirects)
        throw new ExchangeError(`it redirects more than ${mostRedirects} times`);
      order = next.order;
    }
  }

  private secretParts(task: CheckedHttpTask, { url: first }: Order, secrets: Secrets): SecretParts {
    const inHeaders = Object.entries(task.headers).filter(([, text]) => referencesIn(text).length > 0);
    const { secrets: hosts } = this.settings;
    return {
      headers: new Set(inHeaders.map(([name]) => name.toLowerCase())),
      isInBody: referencesIn(task.body).length > 0,
      // Servers put the query that they were asked by into the URL that they name.
      isWronglyIn: (url) =>
        secrets.namesIn(url.href).some((name) => {
          const isFor = hosts.get(name) ?? null;
          return isFor === null ? hostOf(url) !== hostOf(first) : !isFor(hostOf(url));
        }),
    };
  }

  private orderOf(task: CheckedHttpTask, runId: string, secrets: Secrets, shown: string): Order {
    const url = new URL(task.url);
    url.hash = '';
    for (const name of referencesIn([task.headers, task.query.map(([, text]) => text), task.body])) {
      const isFor = this.settings.secrets.get(name) ?? null;
      if (isFor !== null && !isFor(hostOf(url))) {
        throw new HttpRefusedError(`${shown}: ${hostOf(url)} does not get ${name} (http.env).`);
      }
    }
    for (const [name, text] of task.query) url.searchParams.append(name, secrets.resolve(text));
    const given = secrets.resolve(task.headers);
    for (const [name, value] of Object.entries(given)) {
      const problem = headerProblem(name, value);
      if (problem !== null) throw new HttpRefusedError(`${shown}: the header ${name} ${problem}.`);
    }
    const isText = typeof task.body === 'string';
    const body = secrets.resolve(task.body);
    const own: Record<string, string> = {
      'User-Agent': 'nestjs-chronis',
      'Idempotency-Key': `${this.settings.keyPrefix}${runId}`,
      Accept: '*/*',
      ...(body === null ? {} : { 'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json' }),
    };
    const names = new Set(Object.keys(given).map((name) => name.toLowerCase()));
    const missing = Object.entries(own).filter(([name]) => !names.has(name.toLowerCase()));
    return {
      url,
      method: task.method,
      headers: { ...Object.fromEntries(missing), ...given },
      body: body === null ? null : Buffer.from(isText ? (body as string) : JSON.stringify(body)),
    };
  }

  private secret(name: string, shown: string): string {
    const secret = this.settings.secrets.has(name) ? process.env[name] : undefined;
    if (secret === undefined) {
      throw new HttpRefusedError(`${shown}: this process has no variable ${name}, which the task refers to.`);
    }
    if (secret.length >= shortestSecret) return secret;
    throw new HttpRefusedError(
      `${shown}: the variable ${name} has fewer than ${shortestSecret} letters, so it could not be kept off the record.`,
    );
  }
}

/** Without the query, which may have what nobody should read. */
function shownUrl({ method, url }: CheckedHttpTask): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

function isSuccess(status: number, wanted: CheckedHttpTask['successStatus']): boolean {
  return wanted.includes(status) || wanted.includes(`${Math.floor(status / 100)}xx`);
}

function failure(answer: Answer, shown: string, secrets: Secrets): Error {
  const { status, headers } = answer;
  const text = textOf(answer, secrets).trim().slice(0, shownOfBody);
  const message = `${shown} answered ${status}.${text === '' ? '' : `\n${text}`}`;
  const failed = new HttpFailedError(message, status);
  if (status !== tooManyRequests && status !== unavailable) return failed;
  const ms = retryAfterMs(headers['retry-after'], headers.date, Date.now());
  return ms === null ? failed : new RetryAfterError(ms, message, { cause: failed });
}

/** What the platform throws may have a part of what was sent or received. */
function clean(error: unknown, shown: string, secrets: Secrets): unknown {
  if (
    error instanceof HttpRefusedError ||
    error instanceof HttpFailedError ||
    error instanceof RetryAfterError
  )
    return error;
  const { message, code } = error as NodeJS.ErrnoException;
  if (error instanceof ForbiddenAddress) return new HttpRefusedError(secrets.scrub(`${shown}: ${message}.`));
  const why = message === '' ? (code ?? 'it failed') : message;
  return new HttpFailedError(secrets.scrub(`${shown} came to no answer: ${why}.`), null);
}
