import { createHash } from 'node:crypto';
import {
  sentenceOf,
  type ChronisEventMap,
  type ChronisEventName,
  type EventOrigin,
  type Redactor,
} from '../index.js';
import type { Alert } from './alert.js';

const longestTitle = 200;
const longestText = 2_000;
const fields = ['namespace', 'jobId', 'runId', 'handler', 'queue', 'fingerprint'] as const;
type Field = (typeof fields)[number];

/** Whom an event is about, by the words of alerts. */
export type Subject = { readonly [F in Field]?: string };

/** Events about a job call its id so. */
export function subjectOf(event: object): Subject {
  const given = event as Partial<Record<Field | 'id', unknown>>;
  const all = { ...given, jobId: given.jobId ?? given.id };
  return Object.fromEntries(
    fields.flatMap((field) => (typeof all[field] === 'string' ? [[field, all[field]]] : [])),
  );
}

/** What belongs together: the same failure of a handler, or what is about the same job, folder or scope. A hash, as it is the key of a lock. */
export function groupOf(
  rule: string,
  name: string,
  { namespace, jobId, runId, handler, queue, fingerprint }: Subject,
  event: object,
): string {
  const { directory, file, work } = event as Record<string, unknown>;
  const ofOther = jobId === undefined ? [handler, queue, directory, file, work] : [jobId];
  const about = runId === undefined ? ofOther : [handler, fingerprint];
  const parts = [rule, name, namespace, ...about].map((part) => part ?? null);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** The words of an alert: bounded, and without secrets. */
export function alertText<N extends ChronisEventName>(
  event: ChronisEventMap[N],
  origin: EventOrigin<N>,
  redactor: Redactor,
): Pick<Alert, 'title' | 'text'> {
  const text = cut(redactor.text(sentenceOf<N>(origin.name, event), 'alert', 'text'), longestText);
  return { title: cut(text.split('\n', 1)[0]!, longestTitle), text };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
