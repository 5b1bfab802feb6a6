import type { ModulesContainer } from '@nestjs/core';

type ModuleOf = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * The module that provides `token`, and those with hooks that begin after it and end before it. Nest calls the hooks of the deepest modules
 * first, those of equal depth in the order of their imports, and the other way round at the end.
 */
export function bootOrder(modules: ModulesContainer, token: unknown): { own: string; later: string[] } {
  const order = [...modules.values()].toSorted((a, b) => b.distance - a.distance);
  const own = order.findIndex((module) => module.providers.has(token as never));
  const later = order
    .slice(own + 1)
    .filter((module) => !module.providers.has(token as never) && hasHooks(module))
    .map((module) => module.name);
  return { own: order[own]!.name, later };
}

/**
 * Has the hooks of the modules that provide `token` begin before all others, as those of global modules do from Nest 11 on. There they also end last; Nest 10 ends modules in the
 * order in which they began. Before any hook is called.
 */
export function bootFirst(modules: ModulesContainer, token: unknown): void {
  for (const module of modules.values()) {
    if (module.providers.has(token as never)) module.distance = Number.MAX_VALUE;
  }
}

function hasHooks(module: ModuleOf): boolean {
  const wrappers = [...module.providers.values(), ...module.controllers.values()];
  return wrappers.some(({ isAlias, instance }) => !isAlias && isHooked(instance));
}

function isHooked(instance: unknown): boolean {
  if (typeof instance !== 'object' || instance === null) return false;
  const { onApplicationBootstrap, onModuleDestroy } = instance as Record<string, unknown>;
  return typeof onApplicationBootstrap === 'function' || typeof onModuleDestroy === 'function';
}
