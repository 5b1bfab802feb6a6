import { StoredJson } from './stored.json.js';
import type { Redactor } from '../index.js';
import type { Problem } from './problem.js';

/**
 * What is shown in the place of something that users or their code have stored. `path`: where in the answer it is, such as `items[0].payload`. @publicApi
 */
export type Redact = (value: unknown, path: string) => unknown;

/** What users and their code have stored, wherever it is in an answer. */
const stored = new Set([
  ...['payload', 'metadata', 'result', 'params', 'error', 'lastError', 'reason'],
  ...['message', 'fields', 'details', 'note'],
  // What stood in the way, which quotes what somebody has sent.
  'detail',
]);

/** The answer as it may be seen. */
export function redacted(answer: unknown, redact: Redact, path = ''): unknown {
  if (typeof answer !== 'object' || answer === null || answer instanceof Date) return answer;
  if (answer instanceof StoredJson) {
    const shown = redact(answer.value, path);
    return shown === answer.value ? answer : shown;
  }
  if (Array.isArray(answer)) return answer.map((item, at) => redacted(item, redact, `${path}[${at}]`));
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => {
      const at = path === '' ? key : `${path}.${key}`;
      const isShown = value === null || value === undefined || !stored.has(key);
      if (isShown || value instanceof StoredJson) return [key, redacted(value, redact, at)];
      return [key, redact(value, at)];
    }),
  );
}

/** What the redactor of the ChronisModule lets through, and then the function of this API. */
export function redactionOf(redactor: Redactor, own: Redact | null): Redact {
  return (value, path) => {
    const shown = redactor.value(value, 'http', path);
    return own === null ? shown : own(shown, path);
  };
}

/** A problem as it may be seen: it quotes what somebody has sent. The function of the API does not see it, which is for what jobs bring. */
export function redactedProblem(problem: Problem, redactor: Redactor): Problem {
  const { issues } = problem;
  const text = (value: string, path: string): string => redactor.text(value, 'http', path);
  return {
    ...problem,
    detail: text(problem.detail, 'detail'),
    ...(issues !== undefined && {
      issues: issues.map(({ path, message }, at) => ({
        path,
        message: text(message, `issues[${at}].message`),
      })),
    }),
  };
}
