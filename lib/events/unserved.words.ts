import type { UnservedDefinition, UnservedStep } from '../model/unserved.step.js';
import type { UnservedHandler } from '../model/unserved.handler.js';
import { taskTypeOf } from '../model/task.js';
import { count, list, named } from './log.words.js';

/** By their versions, so that one knows which release had the handler: "4 flows of version 3 of "nightly" wait for "nightly.load"". */
export function unservedWords({
  steps,
  definitions,
}: {
  steps: readonly UnservedStep[];
  definitions: readonly UnservedDefinition[];
}): string[] {
  const ofFlows = steps.map(({ workflow, version, handler, flows }) => {
    const which = version === null ? `of "${workflow}"` : `of version ${version} of "${workflow}"`;
    return `${count(flows, 'flow')} ${which} ${flows === 1 ? 'waits' : 'wait'} for "${handler}"`;
  });
  const ofDefinitions = definitions.map(({ namespace, name, version, handlers }) => {
    const place = namespace === 'default' ? '' : ` in the namespace "${namespace}"`;
    return `version ${version} of the definition "${name}"${place} calls ${list(handlers.map((handler) => `"${handler}"`))}`;
  });
  return [...ofFlows, ...ofDefinitions];
}

/** "3 jobs made at run time need the handler "mail", such as "welcome"". */
export function unservedHandlerWords({ handler, jobs, example }: UnservedHandler): string {
  const type = taskTypeOf(handler);
  const what = type === null ? `the handler "${handler}"` : `tasks of the type "${type}"`;
  return `${count(jobs, 'job')} made at run time ${jobs === 1 ? 'needs' : 'need'} ${what}, such as ${named(example)}`;
}
