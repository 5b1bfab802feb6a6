import { ms } from './time.fragment.js';

/** What is read of a definition. `d`: its alias. */
export function definitionColumns(d: string): string {
  return `${d}.namespace, ${d}.name, ${d}.version, ${d}.kind, ${d}.app, ${d}.source, ${d}.spec, ${d}.params_schema, ${d}.hash,
  ${ms(`${d}.created_at`)} as created_ms, ${d}.created_by, ${ms(`${d}.deleted_at`)} as deleted_ms`;
}
