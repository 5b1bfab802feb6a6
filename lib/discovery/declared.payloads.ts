import type { HandlerRegistry } from '../engine/handler.registry.js';
import { assertPayload } from '../scheduler/payload.assertion.js';
import type { DeclaredJob } from './declared.job.js';

/** Throws InvalidPayloadError when a declared job has a payload that its handler would refuse. */
export async function assertDeclaredPayloads(
  jobs: readonly DeclaredJob[],
  handlers: HandlerRegistry,
): Promise<void> {
  for (const { definition, place } of jobs) {
    const { handler, payload } = definition;
    const schema = handlers.get(handler)?.schema ?? null;
    if (schema !== null) await assertPayload(schema, { handler, payload }, `payload of ${place}`);
  }
}
