import { createHash } from 'node:crypto';
import type { Job } from '../model/job.js';
import { stableJson, type JsonValue } from '../model/json.js';
import type { JobPatch } from '../ports/storage.adapter.js';

/** What is longer as JSON is on record by its size and its sum only. */
const longest = 1_000;

/** As it is put on record: what is short. */
export function bounded(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  const json = JSON.stringify(value);
  return json.length <= longest ? (JSON.parse(json) as JsonValue) : summed(value);
}

/** Payloads may be large, or secret: how many bytes of JSON, and their sum, by which equal ones are known. */
export function summed(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  const json = stableJson(value as JsonValue);
  return { bytes: Buffer.byteLength(json), sha256: createHash('sha256').update(json).digest('hex') };
}

const options = [
  'app',
  'name',
  'handler',
  'queue',
  'priority',
  'trigger',
  'timeZone',
  'payload',
  'metadata',
  'policies',
] as const satisfies (keyof JobPatch & keyof Job)[];

/** The options that a change has changed, before and after. `before` undefined: how it was is not known. */
export function optionsChanged(before: Job | undefined, after: Job, patch: JobPatch): JsonValue {
  const [old, now]: Record<string, JsonValue>[] = [{}, {}];
  for (const option of options) {
    if (patch[option] === undefined) continue;
    if (
      before &&
      stableJson((before[option] ?? null) as JsonValue) === stableJson((after[option] ?? null) as JsonValue)
    )
      continue;
    const shown = option === 'payload' ? summed : bounded;
    if (before) old![option] = shown(before[option]);
    now![option] = shown(after[option]);
  }
  return before ? { before: old!, after: now! } : { after: now! };
}

/** The pause of a job, before and after. */
export function pauseChanged(before: Job | undefined, after: Job): JsonValue {
  const paused = bounded(after.paused);
  return before ? { before: { paused: bounded(before.paused) }, after: { paused } } : { after: { paused } };
}
