import type { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { DeclaringProvider } from './declaring.provider.js';

/** What `@nestjs/schedule` and `nestjs-chronis/schedule` note on the methods that they decorate. */
const noteOfOthers = 'SCHEDULER_TYPE';
const reader = 'ScheduleExplorer';

type ModuleOf = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * Methods whose decorators are those of `@nestjs/schedule` or `nestjs-chronis/schedule`, where the module that would read them is missing: they have the names of
 * ours, so the wrong import is easily made, and nothing would ever run.
 */
export function foreignSchedules(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  modules: ModulesContainer,
): string[] {
  if ([...modules.values()].some(hasReader)) return [];
  const places = new Set<string>();
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const provider = DeclaringProvider.of(wrapper);
    if (provider === null) continue;
    for (const method of scanner.getAllMethodNames(provider.prototype)) {
      const code: unknown = provider.prototype[method];
      if (typeof code !== 'function' || !Reflect.hasMetadata(noteOfOthers, code)) continue;
      places.add(`${provider.className}.${method}`);
    }
  }
  return [...places];
}

/** What reads them has the same name in both packages; applications have modules of their own that are called ScheduleModule. */
function hasReader({ providers }: ModuleOf): boolean {
  return [...providers.keys()].some((token) => typeof token === 'function' && token.name === reader);
}
