import { StoredJson } from './stored.json.js';

/**
 * What is shown in the place of something that users or their code have stored. `path`: where in the answer it is, such as `items[0].payload`. @publicApi
 */
export type Redact = (value: unknown, path: string) => unknown;

/** What users and their code have stored, wherever it is in an answer. */
const stored = new Set([
  ...['payload', 'metadata', 'result', 'params', 'error', 'lastError', 'reason'],
  ...['message', 'fields', 'details', 'note'],
]);

/** The answer as it may be seen. Nothing is changed, nor looked at, without a function. */
export function redacted(answer: unknown, redact: Redact | null, path = ''): unknown {
  if (redact === null || typeof answer !== 'object' || answer === null || answer instanceof Date)
    return answer;
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
