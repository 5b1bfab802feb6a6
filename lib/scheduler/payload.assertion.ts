import { checkPayload } from '../engine/payload.check.js';
import { InvalidPayloadError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import { issuesText, type PayloadSchema } from '../model/payload.schema.js';

/** Throws InvalidPayloadError, with all that the schema objects to. `what` names the payload in the message. */
export async function assertPayload(
  schema: PayloadSchema,
  { handler, payload }: { handler: string; payload: JsonValue },
  what = 'payload',
): Promise<void> {
  const { issues } = await checkPayload(schema, payload);
  if (issues === null) return;
  throw new InvalidPayloadError(
    what,
    `does not fit the schema of the handler "${handler}": ${issuesText(issues)}.`,
    issues,
  );
}
