import { STATUS_CODES } from 'node:http';
import type { PayloadIssue } from '../index.js';
import { statusOf } from './problem.statuses.js';

/** What stands in the way, as RFC 9457 has it. @publicApi */
export interface Problem {
  /** `urn:nestjs-chronis:` and the code. */
  type: string;
  /** The status in words. */
  title: string;
  status: number;
  /** The culprit and the fix, in a sentence. */
  detail: string;
  /** Stable: that of the error (docs/reference/errors.md), or of the API, which begin with `http.`. */
  code: string;
  /** What was probably meant. */
  hint?: string;
  /** What is wrong with which part of the request. */
  issues?: { path: string; message: string }[];
}

/** Why a request is refused by the API itself. */
export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** An answer that tells of a problem. */
export interface ProblemAnswer {
  problem: Problem;
  headers: Readonly<Record<string, string>>;
  /** Nobody expected it: the log has to tell. */
  isUnexpected: boolean;
}

/** How long to wait where the storage is busy or away. */
const retryAfterSeconds = '5';

/** What of an error may be seen outside. */
export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof HttpProblem) {
    const { status, code, message, headers } = error;
    return { problem: problem(status, code, message), headers, isUnexpected: false };
  }
  const { code, message } = Object(error) as Partial<Record<'code' | 'message', unknown>>;
  const status = typeof code === 'string' ? statusOf(code) : null;
  if (status !== null) {
    return {
      problem: { ...problem(status, String(code), String(message)), ...more(error as object) },
      headers: status === 503 ? { 'Retry-After': retryAfterSeconds } : {},
      isUnexpected: false,
    };
  }
  const refused = refusalOf(error);
  if (refused !== null) return { problem: refused, headers: {}, isUnexpected: false };
  return {
    problem: problem(500, 'http.failed', 'Something went wrong. The log of the application has it.'),
    headers: {},
    isUnexpected: true,
  };
}

/** Of a guard, or whatever else throws what Nest knows. */
function refusalOf(error: unknown): Problem | null {
  const { getStatus, getResponse } = Object(error) as { getStatus?: unknown; getResponse?: unknown };
  if (typeof getStatus !== 'function' || typeof getResponse !== 'function') return null;
  const status = Number(getStatus.call(error));
  if (!(status >= 400 && status < 600)) return null;
  const response: unknown = getResponse.call(error);
  const said = typeof response === 'string' ? response : (response as { message?: unknown } | null)?.message;
  const detail = Array.isArray(said) ? said.join(' ') : typeof said === 'string' ? said : null;
  return problem(status, `http.${status}`, detail ?? titleOf(status));
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: `urn:nestjs-chronis:${code}`, title: titleOf(status), status, detail, code };
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** What errors know beside their message. */
function more(error: {
  hint?: unknown;
  field?: unknown;
  option?: unknown;
  issues?: readonly PayloadIssue[];
  message?: unknown;
}): Partial<Problem> {
  const { hint, option, field, issues, message } = error;
  const path = option ?? field;
  return {
    ...(typeof hint === 'string' && hint !== '' && { hint }),
    ...(issues !== undefined && issues.length > 0
      ? { issues: issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })) }
      : typeof path === 'string' && { issues: [{ path, message: String(message) }] }),
  };
}
