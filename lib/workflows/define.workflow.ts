import { assertPayloadSchema } from '../engine/payload.check.js';
import type { JsonInput, JsonValue } from '../model/json.js';
import type { PayloadInput, PayloadOutput, PayloadSchema } from '../model/payload.schema.js';
import type { StepResult } from '../model/step.result.js';
import { queueName } from '../scheduler/names.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { priorityOf } from '../scheduler/policy.options.js';
import { parseDuration } from '../triggers/duration.js';
import { DefinedWorkflow, type DefineWorkflowOptions } from './defined.workflow.js';
import { naming, workflowName } from './workflow.plan.js';

/**
 * A workflow in code: steps are added one by one, each knows what those before it return. Its processes call `workflows.register(order)`; then it is started by `workflows.start(order, { params })`, or given as the handler of
 * any job. Throws InvalidWorkflowError.
 *
 * @example
 * export const order = workflow('order', { params: Order, timeout: '7d' })
 *   .step('charge', (ctx) => bank.charge(ctx.params))
 *   .step('ship', async (ctx) => ship((await ctx.result('charge')).id), { after: 'charge', maxRetries: 3 });
 * @publicApi
 */
export function workflow<S extends PayloadSchema>(
  name: string,
  options: DefineWorkflowOptions & { params: S },
): DefinedWorkflow<PayloadInput<S>, StepResult<PayloadOutput<S>>, {}>;
export function workflow<P extends { [K in keyof P]: JsonInput<P[K]> } = JsonValue>(
  name: string,
  options?: Omit<DefineWorkflowOptions, 'params'> & { params?: undefined },
): DefinedWorkflow<P, P, {}>;
export function workflow(name: string, options: DefineWorkflowOptions = {}): DefinedWorkflow<any, any, {}> {
  const known = workflowName(name);
  return naming(known, null, () => {
    const { params, timeout, queue, priority } = knownOptions(
      options,
      ['params', 'timeout', 'queue', 'priority'],
      'workflow()',
    ) as DefineWorkflowOptions;
    if (timeout !== undefined && timeout !== null) parseDuration(timeout, 'timeout');
    const defaults = {
      ...(timeout === undefined ? {} : { timeout }),
      ...(queue === undefined ? {} : { queue: queueName(queue) }),
      ...(priority === undefined ? {} : { priority: priorityOf(priority) }),
    };
    const definition = { name: known, steps: [], ...(timeout === undefined ? {} : { timeout }) };
    const schema = params === undefined ? null : assertPayloadSchema(params);
    return new DefinedWorkflow(definition, schema, defaults);
  });
}
