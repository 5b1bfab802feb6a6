import 'reflect-metadata';
import { InvalidOptionError } from '../model/errors.js';
import type { WorkflowClassOptions } from '../model/workflow.options.js';
import { assertCalled } from './annotation.js';

/** What the decorator says about its class. Nothing is checked before the application boots. */
export interface WorkflowAnnotation {
  name: string;
  options: WorkflowClassOptions;
}

const metadataKey = 'chronis:workflow';

/**
 * Makes the class, a provider, a workflow: its methods with `@Step` and `@ManualStep` run when those that they come after have ended. With `cron` it is a job with the name as its id, by the calendar and with all options of `@Cron`; it is started by hand by
 * `workflows.start('nightly', { params })`. The name is stored, so it should outlive renamed classes. Mistakes are reported when the application boots. @publicApi
 */
export function Workflow(name: string, options: WorkflowClassOptions = {}): ClassDecorator {
  assertCalled('@Workflow', [name, options]);
  return (target) => {
    if (Reflect.hasOwnMetadata(metadataKey, target)) {
      throw new InvalidOptionError(`@Workflow on ${target.name}`, 'stands there twice. Keep one of them.');
    }
    const annotation: WorkflowAnnotation = { name, options };
    Reflect.defineMetadata(metadataKey, annotation, target);
  };
}

/** Of a class, or of one that it extends; null: it is no workflow. */
export function workflowAnnotationOf(prototype: object): WorkflowAnnotation | null {
  return (Reflect.getMetadata(metadataKey, prototype.constructor) ?? null) as WorkflowAnnotation | null;
}
