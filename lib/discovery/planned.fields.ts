import type { JobDefinition } from '../model/job.js';
import { stableJson, type JsonValue } from '../model/json.js';

const own = ['name', 'handler', 'queue', 'priority', 'timeZone', 'payload', 'metadata'] as const;

/** What differs between two definitions, as options are named. */
export function changedFields(before: JobDefinition, after: JobDefinition): string[] {
  const fields: string[] = own.filter((key) => differ(before[key], after[key]));
  if (differ(before.trigger, after.trigger)) fields.unshift('schedule');
  const policies = [before.policies, after.policies] as Record<string, unknown>[];
  const names = new Set(policies.flatMap((each) => Object.keys(each)));
  for (const name of [...names].toSorted())
    if (differ(policies[0]![name], policies[1]![name])) fields.push(name);
  return fields;
}

function differ(one: unknown, other: unknown): boolean {
  return stableJson((one ?? null) as JsonValue) !== stableJson((other ?? null) as JsonValue);
}
