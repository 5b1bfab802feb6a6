import { validateHeaderName, validateHeaderValue } from 'node:http';
import { parseDuration, type DurationInput, type StandardIssue, type StandardSchema } from '../index.js';
import { isIP } from 'node:net';
import { hostOf } from './http.hosts.js';
import type { HttpSettings } from './http.options.js';
import { referencesIn } from './http.secrets.js';
import { shown, tellUnknown } from './option.checks.js';

/** A task of the type `http`. In the texts of `headers`, `query` and `body`, `${env:NAME}` stands for a variable that the executor names. @publicApi */
export interface HttpTask {
  /** `http://` or `https://`, of a host that the executor allows. Without a password. */
  url: string;
  /** @default 'GET', and 'POST' with a body */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** `Idempotency-Key` is the id of the run, unless it is given here. */
  headers?: Readonly<Record<string, string>>;
  /** Added to those of the URL. A list is given once for each item. */
  query?: Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[]>>;
  /** Text is sent as it is, anything else as JSON. Not with GET and HEAD. @default none */
  body?: unknown;
  /** How long the call may take in all: up to the timeout of the executor. @default that of the executor */
  timeout?: DurationInput;
  /** What means success: `200`, or `'2xx'`. @default ['2xx'] */
  successStatus?: readonly (number | '2xx' | '3xx' | '4xx' | '5xx')[];
  /** Whether redirects are followed, at most 5 of them, to hosts that the executor allows. Headers other than those that say what is sent or wanted, and secrets, are not sent to another origin. @default true */
  followRedirects?: boolean;
}

/** The same, checked. */
export interface CheckedHttpTask {
  url: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  query: readonly (readonly [string, string])[];
  /** null: none. */
  body: unknown;
  timeoutMs: number;
  successStatus: readonly (number | string)[];
  followRedirects: boolean;
}

const keys = [
  'url',
  'method',
  'headers',
  'query',
  'body',
  'timeout',
  'successStatus',
  'followRedirects',
] as const;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** They say how a message is framed and where it goes, which the executor does. */
const ownHeaders =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|accept-encoding|proxy-.*|http2-settings)$/i;
const lowestStatus = 200;
const highestStatus = 599;
const classes = ['2xx', '3xx', '4xx', '5xx'];

type Tell = (message: string, ...path: (string | number)[]) => void;

/** What tasks are checked with, when they are made and before they run. */
export function httpSchema(settings: HttpSettings): StandardSchema<HttpTask, CheckedHttpTask> {
  const validate = (given: unknown): { value: CheckedHttpTask } | { issues: StandardIssue[] } => {
    const issues: StandardIssue[] = [];
    const value = checked(given, settings, (message, ...path) => void issues.push({ message, path }));
    return issues.length > 0 ? { issues } : { value };
  };
  return { '~standard': { version: 1, vendor: 'nestjs-chronis', validate } };
}

function checked(given: unknown, settings: HttpSettings, tell: Tell): CheckedHttpTask {
  const isObject = isPlain(given);
  if (!isObject) tell(`must be an object, but is ${shown(given)}`);
  const task = isObject ? given : {};
  tellUnknown(task, keys, tell);
  const { body = null, method = body === null ? 'GET' : 'POST', followRedirects = true } = task;
  if (!methods.includes(method as string))
    tell(`must be one of ${methods.join(', ')}, but is ${shown(method)}`, 'method');
  if (body !== null && (method === 'GET' || method === 'HEAD')) tell(`goes with no ${method}`, 'body');
  if (typeof followRedirects !== 'boolean') {
    tell(`must be true or false, but is ${shown(followRedirects)}`, 'followRedirects');
  }
  const url = urlOf(task.url, settings, tell);
  const headers = headersOf(task.headers, tell);
  const query = queryOf(task.query, tell);
  for (const [key, value] of Object.entries({ headers, query: query.map(([, text]) => text), body })) {
    for (const name of referencesIn(value))
      checkReference(name, url, settings, (message) => tell(message, key));
  }
  return {
    url: url?.href ?? '',
    method: method as string,
    headers,
    query,
    body,
    timeoutMs: timeoutOf(task.timeout, settings, tell),
    successStatus: statusOf(task.successStatus, tell),
    followRedirects: followRedirects as boolean,
  };
}

function urlOf(given: unknown, settings: HttpSettings, tell: Tell): URL | null {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const isBegun = typeof given === 'string' && /^https?:\/\//i.test(given);
    const what = isBegun ? 'is no URL (a port is 65535 at most)' : 'must begin with http:// or https://';
    tell(`${what}, but is ${shown(given)}`.replace('), but is', '):'), 'url');
    return null;
  }
  if (referencesIn(given).length > 0 || url.href.includes('$%7Benv:')) {
    tell('may not refer to variables, as it is kept: put them into "headers" or "query"', 'url');
  }
  if (url.username !== '' || url.password !== '') {
    tell('has a password, which would be kept: put it into "headers", as `${env:NAME}`', 'url');
    return null;
  }
  const refusal = refusalOf(url, settings);
  if (refusal !== null) tell(refusal, 'url');
  return url;
}

/** Why the URL may not be called, whatever its name comes to; null: it may. */
export function refusalOf(url: URL, { isAllowedHost, addresses }: HttpSettings): string | null {
  const host = hostOf(url);
  if (!isAllowedHost(host)) return `${host} is none of the hosts that the http executor allows (http.hosts)`;
  return isIP(host) === 0 || addresses.allows(host) ? null : specialAddress(host);
}

export function specialAddress(address: string): string {
  return `${address} is a private or special address, which the http executor calls only where its option "addresses" names it`;
}

/** Tells what is wrong with `${env:name}` in a task that calls the URL. */
function checkReference(
  name: string,
  url: URL | null,
  { secrets }: HttpSettings,
  tell: (message: string) => void,
): void {
  if (!secrets.has(name)) {
    const there = secrets.size === 0 ? 'It names none' : `It names ${[...secrets.keys()].join(', ')}`;
    tell(
      `refers to ${shown(name)}, which is none of the variables that the http executor names (http.env). ${there}`,
    );
    return;
  }
  const isFor = secrets.get(name)!;
  if (url === null || isFor === null || isFor(hostOf(url))) return;
  tell(`refers to ${name}, which ${hostOf(url)} does not get (http.env)`);
}

function headersOf(given: unknown, tell: Tell): Record<string, string> {
  if (given === undefined) return {};
  if (!isPlain(given)) {
    tell(`must be an object of texts, but is ${shown(given)}`, 'headers');
    return {};
  }
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(given)) {
    const problem = headerProblem(name, value);
    if (problem !== null) tell(problem, 'headers', name);
    if (seen.has(name.toLowerCase())) tell('is given twice', 'headers', name);
    seen.add(name.toLowerCase());
  }
  return given as Record<string, string>;
}

/** null: it can be sent. */
export function headerProblem(name: string, value: unknown): string | null {
  if (typeof value !== 'string') return `must be text, but is ${shown(value)}`;
  if (ownHeaders.test(name)) return 'is for the http executor to set';
  try {
    validateHeaderName(name);
  } catch {
    return 'is no name that a header may have';
  }
  try {
    validateHeaderValue(name, value);
  } catch {
    return 'has a line break or another character that no header may have';
  }
  return null;
}

function queryOf(given: unknown, tell: Tell): [string, string][] {
  if (given === undefined) return [];
  if (!isPlain(given)) {
    tell(`must be an object, but is ${shown(given)}`, 'query');
    return [];
  }
  return Object.entries(given).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : [value]).map((item): [string, string] => {
      const isText = typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean';
      if (!isText)
        tell(
          `must be text, a number, true or false, or a list of these, but is ${shown(item)}`,
          'query',
          name,
        );
      return [name, String(item)];
    }),
  );
}

function timeoutOf(given: unknown, { timeoutMs }: HttpSettings, tell: Tell): number {
  if (given === undefined) return timeoutMs;
  try {
    const ms = parseDuration(given as DurationInput, 'timeout');
    if (ms <= timeoutMs) return ms;
    tell(`may be no longer than that of the http executor, which is ${timeoutMs} ms`, 'timeout');
  } catch {
    tell(`must be milliseconds or text such as "30s", but is ${shown(given)}`, 'timeout');
  }
  return timeoutMs;
}

function statusOf(given: unknown, tell: Tell): (number | string)[] {
  if (given === undefined) return ['2xx'];
  const fits = (each: unknown): boolean =>
    typeof each === 'number'
      ? Number.isInteger(each) && each >= lowestStatus && each <= highestStatus
      : classes.includes(each as string);
  if (Array.isArray(given) && given.length > 0 && given.every(fits)) return given as (number | string)[];
  tell(
    `must be a list of ${classes.join(', ')} and numbers from ${lowestStatus} to ${highestStatus}, but is ${shown(given)}`,
    'successStatus',
  );
  return [];
}

function isPlain(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}
