import type { NamespaceOption } from '../scheduler/job.identity.js';
import type { Tenancy } from '../scheduler/tenancy.js';
import type { DefinitionInput } from './definition.options.js';
import type { DefinitionService } from './definition.service.js';
import type { DefineManyResult } from './definition.writer.js';

/** The DefinitionService of one tenant: the same methods, for the definitions in its own namespace. Others' are as if they did not exist. @publicApi */
export type TenantDefinitions = Omit<DefinitionService, 'prune' | 'forTenant'>;

/** Hands each call on, kept within the tenant; the jobs that are started have its mark. */
export function confinedDefinitions(all: DefinitionService, tenancy: Tenancy): TenantDefinitions {
  const marked = (given: DefinitionInput): DefinitionInput =>
    tenancy.marked(given as DefinitionInput & { handler: unknown });
  return {
    define: async (definition, options) => all.define(marked(definition), options),
    defineMany: async (definitions, options) => {
      if (!Array.isArray(definitions)) return all.defineMany(definitions, options);
      const results: DefineManyResult[] = [];
      const own: { index: number; definition: DefinitionInput }[] = [];
      for (const [index, given] of definitions.entries()) {
        try {
          own.push({ index, definition: marked(given as DefinitionInput) });
        } catch (error) {
          results[index] = { status: 'rejected', error };
        }
      }
      const put = await all.defineMany(
        own.map(({ definition }) => definition),
        options,
      );
      for (const [nth, { index }] of own.entries()) results[index] = put[nth]!;
      return results;
    },
    get: async (name, options) => all.get(name, tenancy.confined(options)),
    list: async (query, within) => all.list(tenancy.confined(query as NamespaceOption), within),
    delete: async (name, options) => all.delete(name, tenancy.confined(options)),
    start: async (name, options, within) => {
      const { handler: _, ...own } = tenancy.marked({ ...options, handler: null });
      return all.start(name, own, within);
    },
  };
}
