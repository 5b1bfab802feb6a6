import { assertPayloadSchema } from '../engine/payload.check.js';
import { ChronisError, InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import { taskHandler } from '../model/task.js';
import { handlerOptionsOf } from '../scheduler/handler.options.js';
import { described, knownOptions, trueOrFalse } from '../scheduler/option.checks.js';
import { executorAnnotationOf, type ExecutorAnnotation } from '../tasks/task.executor.js';
import { taskType } from '../tasks/task.option.js';
import { prefixMessage } from './declaration.reader.js';
import type { DeclaringProvider } from './declaring.provider.js';
import { addHandler, type Findings } from './findings.js';
import { instanceOf } from './instance.names.js';
import type { ExplorerParts } from './job.explorer.js';

const optionKeys = ['aliases', 'instance', 'packaged', 'retryIf', 'backoff'];
const mostAliases = 100;

/** Whether there is something for `readExecutor`. */
export function isExecutor({ prototype }: DeclaringProvider): boolean {
  return executorAnnotationOf(prototype) !== null;
}

/** Adds the handler that the class is as an executor. Throws InvalidOptionError and DuplicateHandlerError. */
export function readExecutor(
  provider: DeclaringProvider,
  { instance, known }: ExplorerParts,
  found: Findings,
): void {
  const { prototype, className: place, label } = provider;
  const annotation = executorAnnotationOf(prototype);
  if (annotation === null) return;
  const owner = `@TaskExecutor on ${place}`;
  const handler = naming(owner, () => {
    const given = knownOptions(
      annotation.options,
      optionKeys,
      '@TaskExecutor',
    ) as ExecutorAnnotation['options'];
    const {
      instance: own = provider.defaultsOf('handler').instance,
      aliases = [],
      packaged = false,
      ...rules
    } = given;
    trueOrFalse(packaged, 'packaged');
    if (instanceOf(own === undefined ? null : { instance: own }, known()) !== instance) return null;
    const name = taskHandler(taskType(annotation.type, 'type'));
    const schema = schemaOf(provider);
    const options: HandlerOptions = {
      ...handlerOptionsOf(rules, '@TaskExecutor'),
      ...(schema === undefined ? {} : { schema }),
      previousNames: aliasesOf(aliases).map(taskHandler),
    };
    return { name, options };
  });
  if (handler === null) return;
  const call = provider.callWith('execute');
  const run = (context: { payload: unknown }): unknown => call(context, context.payload, context);
  addHandler(found, { ...handler, run, isExecutor: true, place, provider: label, prototype });
}

/** undefined: there is no instance yet. */
function schemaOf(provider: DeclaringProvider): HandlerOptions['schema'] {
  if (typeof provider.prototype.execute !== 'function') {
    throw new InvalidOptionError('execute', 'is no method of the class. Give it execute(task, context).');
  }
  const { example } = provider;
  if (example === null) return undefined;
  const { schema } = example as { schema?: unknown };
  if (schema !== undefined) return assertPayloadSchema(schema);
  throw new InvalidOptionError(
    'schema',
    provider.singleton === null
      ? 'cannot be read at boot, as the class is made anew for each run. Make it a getter: get schema() { return … }.'
      : 'is missing. Give the class a schema that its tasks are checked with: readonly schema = z.object({ … }).',
  );
}

function aliasesOf(given: unknown): string[] {
  if (Array.isArray(given) && given.length <= mostAliases) {
    return given.map((alias, nth) => taskType(alias, `aliases[${nth}]`));
  }
  throw new InvalidOptionError(
    'aliases',
    `must be a list of at most ${mostAliases} types, but is ${described(given)}.`,
  );
}

/** Runs `read`; what it throws names the decorator and the class. */
function naming<T>(owner: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ChronisError) prefixMessage(error, `${owner}: `);
    throw error;
  }
}
