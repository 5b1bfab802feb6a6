import type { DiscoveryService } from '@nestjs/core';
import type { RepeatedProvider } from './declared.job.js';
import { DeclaringProvider } from './declaring.provider.js';

/**
 * The providers and controllers that are of interest, without what would double jobs and listeners: aliases, an instance under a second token, and a
 * class that a second module provides under the same token for the same scheduler, which is noted in `repeated`. Two providers of one class under different tokens
 * are both meant, and their jobs need ids of their own.
 */
export function distinctProviders(
  discovery: DiscoveryService,
  isOfInterest: (provider: DeclaringProvider) => boolean,
  repeated: RepeatedProvider[] = [],
  read: typeof DeclaringProvider.of = DeclaringProvider.of,
): DeclaringProvider[] {
  const instances = new Set<object>();
  const byToken = new Map<unknown, DeclaringProvider[]>();
  const distinct: DeclaringProvider[] = [];
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const provider = read(wrapper);
    if (provider === null || !isOfInterest(provider)) continue;
    const { singleton, token, className, moduleName } = provider;
    if (singleton !== null && instances.has(singleton)) continue;
    if (singleton !== null) instances.add(singleton);
    const sameToken = byToken.get(token) ?? [];
    const twin = sameToken.find(
      (other) => other.prototype === provider.prototype && schedulerOf(other) === schedulerOf(provider),
    );
    if (twin) {
      repeated.push({ className, used: twin.moduleName, ignored: moduleName });
      continue;
    }
    byToken.set(token, [...sameToken, provider]);
    distinct.push(provider);
  }
  return distinct;
}

/** Its name, as the module of the provider says; undefined: the one without a name. */
function schedulerOf(provider: DeclaringProvider): string | undefined {
  return provider.defaultsOf('handler').instance;
}
