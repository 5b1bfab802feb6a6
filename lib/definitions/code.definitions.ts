import type { ChronisEvents } from '../events/chronis.events.js';
import type { JsonObject } from '../model/json.js';
import type { NewDefinition, StorageAdapter } from '../ports/storage.adapter.js';
import { hashOf } from '../scheduler/definition.hash.js';
import { namespaceOf } from '../scheduler/job.identity.js';
import type { KnownWorkflow, WorkflowRegistry } from '../workflows/workflow.registry.js';

/** What belongs to the definition, or to the job, and not to the graph. */
const notStored: readonly string[] = ['namespace', 'app', 'allowUnknownHandler', 'name', 'metadata'];

/**
 * Stores the workflows that the code of this process has as definitions, before it begins to work: flows that it opens have their versions. The same graph is the version that it was once, so that processes of two releases, and a release that is taken back, open each its own.
 */
export class CodeDefinitions {
  constructor(
    private readonly registry: WorkflowRegistry,
    private readonly storage: StorageAdapter,
    private readonly events: ChronisEvents,
    private readonly app: string,
  ) {}

  /** Whether there is nothing to store. */
  get areStored(): boolean {
    return this.storage.definitions === undefined || this.unstored().length === 0;
  }

  /** Never rejects: a flow may be opened without a version, and a start need not wait for it. */
  async put(): Promise<void> {
    const workflows = this.unstored();
    try {
      const results = await this.storage.definitions!.putDefinitions(
        workflows.map((each) => definitionOfCode(each, this.app)),
      );
      for (const [nth, { definition }] of results.entries())
        workflows[nth]!.code.version = definition.version;
    } catch (error) {
      this.events.emit('storage.failing', {
        operation: 'store the definitions of workflows',
        error,
        retryInMs: 0,
      });
    }
  }

  private unstored(): KnownWorkflow[] {
    return this.registry.all().filter(({ code }) => code.version === undefined);
  }
}

/** A workflow in the code as a definition of the app. */
export function definitionOfCode(
  { plan: { name }, code, defaults }: KnownWorkflow,
  app: string,
): NewDefinition {
  const { steps, timeout } = code.definition;
  const options = Object.entries(defaults).filter(([key]) => !notStored.includes(key));
  // What is undefined was not said.
  const spec = JSON.parse(JSON.stringify({ ...Object.fromEntries(options), steps, timeout })) as JsonObject;
  const content = { kind: 'workflow' as const, app, spec, paramsSchema: null };
  return {
    ...content,
    name,
    namespace: namespaceOf(defaults.namespace),
    version: null,
    sameAs: 'any',
    hash: hashOf(content),
    source: 'code',
    createdBy: null,
  };
}
