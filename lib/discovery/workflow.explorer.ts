import type { MetadataScanner } from '@nestjs/core';
import { fromStepsOf } from '../decorators/arguments.decorator.js';
import { stepAnnotationsOf, type StepAnnotation } from '../decorators/step.decorator.js';
import { workflowAnnotationOf } from '../decorators/workflow.decorator.js';
import { assertPayloadSchema } from '../engine/payload.check.js';
import { InvalidOptionError, InvalidWorkflowError } from '../model/errors.js';
import type { WorkflowStep } from '../model/workflow.js';
import type { WorkflowClassOptions } from '../model/workflow.options.js';
import { knownOptions, trueOrFalse } from '../scheduler/option.checks.js';
import { codeStepOptions, manualStepKeys } from '../workflows/step.options.js';
import { workflowHandlers, type StepFunction } from '../workflows/workflow.code.js';
import { naming, workflowName } from '../workflows/workflow.plan.js';
import type { DeclaringProvider } from './declaring.provider.js';
import { addHandler, type Findings } from './findings.js';
import { instanceOf } from './instance.names.js';
import type { ExplorerParts } from './job.explorer.js';
import { noteStepResults } from './step.results.js';
import { unmarkedPayload } from './unmarked.payload.js';
import { declareCron, workflowDefaults } from './workflow.job.js';

/** Whether there is something for `readWorkflow`. */
export function isWorkflow({ prototype }: DeclaringProvider, scanner: MetadataScanner): boolean {
  if (workflowAnnotationOf(prototype) !== null) return true;
  return scanner
    .getAllMethodNames(prototype)
    .some((method) => stepAnnotationsOf(prototype, method).length > 0);
}

/** Adds what the class is as a workflow: its handlers, and the job of its `cron`. Throws InvalidWorkflowError and what `addHandler` and `addJob` do. */
export function readWorkflow(
  provider: DeclaringProvider,
  parts: ExplorerParts,
  now: number,
  found: Findings,
): void {
  const { prototype, className: place, label } = provider;
  const methods = parts.scanner
    .getAllMethodNames(prototype)
    .filter((method) => stepAnnotationsOf(prototype, method).length > 0);
  const annotation = workflowAnnotationOf(prototype);
  if (annotation === null) {
    if (methods.length === 0) return;
    throw new InvalidOptionError(
      `@Step on ${place}.${methods[0]!}`,
      `${place} is no workflow. Decorate the class with @Workflow('name').`,
    );
  }
  const name = workflowName(annotation.name);
  const options = naming(name, null, () => optionsOf(annotation.options, provider, place));
  if (naming(name, null, () => instanceOf(options, parts.known())) !== parts.instance) return;
  if (methods.length === 0) {
    throw new InvalidWorkflowError(name, null, `${place} has no method with @Step or @ManualStep.`);
  }
  const steps: WorkflowStep[] = [];
  const functions = new Map<string, StepFunction>();
  for (const method of methods) {
    const [said, another] = stepAnnotationsOf(prototype, method);
    const step = naming(name, method, () => {
      if (another !== undefined) {
        throw new InvalidOptionError('@Step', `${place}.${method} is a step twice. Keep one decorator.`);
      }
      return stepOf(said!, provider, method, parts, found);
    });
    steps.push(step.data);
    if (step.code !== null) functions.set(step.data.name, step.code);
  }
  const { timeout, params } = options;
  const definition = { name, steps, ...(timeout === undefined ? {} : { timeout }) };
  const schema = params === undefined ? null : naming(name, null, () => assertPayloadSchema(params));
  const code = { definition, schema, steps: functions };
  const origin = { place, provider: label, prototype };
  for (const handler of workflowHandlers(code)) addHandler(found, { ...handler, ...origin });
  const defaults = naming(name, null, () => workflowDefaults(options));
  found.workflows.push({ code, defaults, place });
  naming(name, null, () => declareCron({ name, options, origin }, parts, now, found));
}

function optionsOf(
  given: WorkflowClassOptions,
  provider: DeclaringProvider,
  place: string,
): WorkflowClassOptions {
  const own = knownOptions(given, Object.keys(given ?? {}), `@Workflow on ${place}`) as WorkflowClassOptions;
  const { queue, priority, instance, ...ofJobs } = provider.defaultsOf('schedule');
  const { useEnhancers: _, ...ofJob } = ofJobs;
  const common = Object.entries({ queue, priority, instance }).filter(([, value]) => value !== undefined);
  return {
    ...(own.cron === undefined ? {} : ofJob),
    ...(Object.fromEntries(common) as WorkflowClassOptions),
    ...own,
  };
}

function stepOf(
  said: StepAnnotation,
  provider: DeclaringProvider,
  method: string,
  parts: ExplorerParts,
  found: Findings,
): { data: WorkflowStep; code: StepFunction | null } {
  const { prototype, className } = provider;
  const place = `${className}.${method}`;
  if (said.kind === 'manual') {
    const data = knownOptions(said.options, ['name', ...manualStepKeys], `@ManualStep on ${place}`);
    return { data: { name: method, ...data, manual: true }, code: null };
  }
  const { useEnhancers: own = provider.defaultsOf('handler').useEnhancers, ...given } = said.options;
  const useEnhancers = own === undefined ? undefined : trueOrFalse(own, 'useEnhancers');
  const { data, options, when } = codeStepOptions(given, `@Step on ${place}`, ['name', 'map']);
  const decorators = parts.calls.unapplied(provider, method, useEnhancers);
  if (decorators.length > 0) found.unapplied.push({ place, decorators });
  const unmarked = unmarkedPayload(prototype, method);
  if (unmarked !== null) found.unmarked.push({ place, ...unmarked });
  const run = parts.calls.of(provider, method, useEnhancers);
  const loads = fromStepsOf(prototype, method);
  return { data: { name: method, ...data }, code: { run, options, when, loads, loaded: noteStepResults } };
}
