import { StoredJson } from './stored.json.js';
import type { Redactor } from '../index.js';

/**
 * What is shown in the place of something that users or their code have stored. `path`: where in the answer it is, such as `items[0].payload`. @publicApi
 */
export type Redact = (value: unknown, path: string) => unknown;

/** What users and their code have stored, wherever it is in an answer. */
const stored = new Set([
  ...['payload', 'metadata', 'result', 'params', 'error', 'lastError', 'reason'],
  ...['message', 'fields', 'details', 'note'],
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
