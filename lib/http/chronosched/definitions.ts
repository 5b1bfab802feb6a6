import {
  definitionReference,
  InvalidOptionError,
  type Definition,
  type DefinitionInput,
  type JsonObject,
  type JsonValue,
} from '../../index.js';
import { problemOf } from '../problem.js';
import { pageAnswer, pageIn } from '../routes/common.js';
import type { Answer, Call } from '../route.js';
import { definitionIn, living, spaceOf } from './names.js';

/** What a template of a kind is called here. */
const lineOfShell = 'cmd';

/** A definition of a task, out of one as Chronosched has it. Throws InvalidOptionError. */
function inputOf(given: Readonly<Record<string, unknown>>, space: { namespace?: string }): DefinitionInput {
  const { name, version, kind, payloadTemplate = {}, cronSpec, delayInterval } = given;
  if (typeof kind !== 'string' || kind === '')
    throw new InvalidOptionError('kind', 'must be the type of a task, such as "cmd", "http" or "binary".');
  if (typeof payloadTemplate !== 'object' || payloadTemplate === null || Array.isArray(payloadTemplate))
    throw new InvalidOptionError('payloadTemplate', 'must be an object with what the task takes.');
  if (cronSpec !== undefined && delayInterval !== undefined)
    throw new InvalidOptionError('delayInterval', 'is for what runs once; "cronSpec" runs again and again.');
  return {
    ...space,
    name,
    ...(version !== undefined && { version }),
    task: { ...taskOf(kind, payloadTemplate as JsonObject), type: kind },
    ...(cronSpec !== undefined && { cron: cronSpec }),
    ...(delayInterval !== undefined && { delay: delayInterval }),
  } as DefinitionInput;
}

/** What is given to `sh -c` there goes to the shell here, where the workers allow that. */
function taskOf(kind: string, { cmd, ...template }: JsonObject): JsonObject {
  if (cmd === undefined) return template;
  return kind === lineOfShell ? { shell: true, ...template, command: cmd } : { ...template, cmd };
}

function templateOf({ kind, spec }: Definition): { kind: string; payloadTemplate: JsonValue } {
  if (kind !== 'task') return { kind, payloadTemplate: spec.payload ?? null };
  const { type, command, ...rest } = spec.task as JsonObject & { type: string };
  if (type !== lineOfShell || command === undefined)
    return { kind: type, payloadTemplate: command === undefined ? rest : { ...rest, command } };
  return { kind: type, payloadTemplate: { ...rest, cmd: command } };
}

export function definitionView(found: Definition): object {
  const { namespace, name, version, spec, createdAt, deletedAt } = found;
  return {
    id: definitionReference(found),
    namespaceId: namespace,
    name,
    version,
    ...templateOf(found),
    cronSpec: spec.cron ?? null,
    delayInterval: spec.delay ?? null,
    deleted: deletedAt !== null,
    createdAt,
  };
}

/** With `cronSpec` there is a job of it from now on, under its name. */
async function scheduled(
  { definitions }: Call,
  { namespace, name, version, spec }: Definition,
): Promise<void> {
  if (spec.cron === undefined) return;
  await definitions.start(name, { namespace, version });
}

const by = (call: Call): { by?: string } => (call.by === null ? {} : { by: call.by });

export async function createDefinition(call: Call): Promise<Answer> {
  const { note: _, ...given } = call.body;
  const put = await call.definitions.define(inputOf(given, spaceOf(call)), by(call));
  await scheduled(call, put.definition);
  return { status: put.status === 'created' ? 201 : 200, body: definitionView(put.definition) };
}

/** Each by itself: what is wrong with one stops no other. */
export async function createDefinitions(call: Call): Promise<Answer> {
  const { definitions } = call.body;
  if (!Array.isArray(definitions))
    throw new InvalidOptionError('definitions', 'must be a list of definitions.');
  const space = spaceOf(call);
  const items: object[] = [];
  const inputs: { at: number; input: DefinitionInput }[] = [];
  const refused = (error: unknown) => ({ status: 'rejected', problem: problemOf(error).problem });
  for (const [at, given] of definitions.entries()) {
    try {
      inputs.push({ at, input: inputOf(Object(given) as Record<string, unknown>, space) });
    } catch (error) {
      items[at] = refused(error);
    }
  }
  const put = await call.definitions.defineMany(
    inputs.map(({ input }) => input),
    by(call),
  );
  for (const [nth, { at }] of inputs.entries()) {
    const result = put[nth]!;
    if (result.status === 'rejected') {
      items[at] = refused(result.error);
      continue;
    }
    await scheduled(call, result.definition);
    items[at] = { status: result.status, ...definitionView(result.definition) };
  }
  return { body: { items } };
}

export async function getDefinition(call: Call): Promise<Answer> {
  const id = call.params.defId!;
  const { name, version } = definitionIn(id);
  const found = await call.definitions.get(name, {
    ...spaceOf(call),
    ...(version !== undefined && { version }),
  });
  // One that is deleted is shown, as its jobs may go on.
  return { body: definitionView(found ?? living(found, id)) };
}

export async function listDefinitions(call: Call): Promise<Answer> {
  const { items, cursor } = await call.definitions.list({
    ...spaceOf(call),
    kind: ['task', 'handler'],
    latest: true,
    ...pageIn(call),
  });
  return pageAnswer({ items: items.map(definitionView), cursor });
}
