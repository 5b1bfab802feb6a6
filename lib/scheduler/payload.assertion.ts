import { checkPayload } from '../engine/payload.check.js';
import { InvalidPayloadError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import { issuesText, type PayloadSchema } from '../model/payload.schema.js';
import { taskTypeOf } from '../model/task.js';

/** Throws InvalidPayloadError, with all that the schema objects to. `what` names the payload in the message. */
export async function assertPayload(
  schema: PayloadSchema,
  { handler, payload }: { handler: string; payload: JsonValue },
  given?: string,
): Promise<void> {
  const { issues } = await checkPayload(schema, payload);
  if (issues === null) return;
  const type = taskTypeOf(handler);
  const what = type === null ? 'payload' : 'task';
  const whose = type === null ? `handler "${handler}"` : `type "${type}"`;
  throw new InvalidPayloadError(
    given ?? what,
    `does not fit the schema of the ${whose}: ${issuesText(issues, what)}.`,
    issues,
  );
}
