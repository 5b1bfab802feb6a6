import type { StorageAdapter, UnservedStep } from '../ports/storage.adapter.js';

/** So many of each kind are looked at, and told, at most. */
const mostFlows = 1_000;

/** What flows of the app that go on still need, and this process lacks; rejects when the storage cannot be reached. */
export async function unservedSteps(
  { flows }: StorageAdapter,
  own: { app: string; handlers: readonly string[] },
): Promise<UnservedStep[]> {
  return flows === undefined ? [] : flows.unservedSteps(own.app, own.handlers, mostFlows);
}
