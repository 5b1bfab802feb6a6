import type { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { DeclaringProvider } from './declaring.provider.js';
import type { LazyModules } from './lazy.modules.js';

/** What `@nestjs/schedule` and `nestjs-chronis/schedule` note on the methods that they decorate. */
const noteOfOthers = 'SCHEDULER_TYPE';

type ModuleOf = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * Methods whose decorators are those of `@nestjs/schedule` or `nestjs-chronis/schedule`, where nothing reads them: they have the names of ours, so the wrong import is easily made, and nothing
 * would ever run.
 */
export class ForeignSchedules {
  private readonly known = new Set<string>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modules: ModulesContainer,
    private readonly lazy: LazyModules,
  ) {}

  /** At the boot: all, unless the module that reads them is there. */
  unread(): string[] {
    const places = this.newPlaces();
    return [...this.modules.values()].some(hasReader) ? [] : places;
  }

  /** Those that modules have brought since, which are loaded lazily: what reads the others has done so at the boot. */
  unreadMore(): string[] {
    return this.newPlaces();
  }

  private newPlaces(): string[] {
    const places = new Set<string>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const provider = DeclaringProvider.of(wrapper);
      if (provider === null || !this.lazy.isReady(provider.module)) continue;
      for (const method of this.scanner.getAllMethodNames(provider.prototype)) {
        const code: unknown = provider.prototype[method];
        if (typeof code !== 'function' || !Reflect.hasMetadata(noteOfOthers, code)) continue;
        places.add(`${provider.className}.${method}`);
      }
    }
    const found = [...places].filter((place) => !this.known.has(place));
    for (const place of found) this.known.add(place);
    return found;
  }
}

function hasReader({ providers }: ModuleOf): boolean {
  return [...providers.keys()].some(readsSchedules);
}

/** On the class of `nestjs-chronis/schedule` that reads the notes, in each copy of the package. */
export const schedulesReader = Symbol.for('nestjs-chronis.schedule.reader');

/**
 * Whether a provider is the class that reads the notes, here or in `@nestjs/schedule`: by what it can do, since minifiers make the names of classes equal and applications have classes of the same
 * name.
 */
export function readsSchedules(token: unknown): boolean {
  if (typeof token !== 'function') return false;
  if (schedulesReader in token) return true;
  const { explore, lookupSchedulers } = (token.prototype ?? {}) as Record<string, unknown>;
  return typeof explore === 'function' && typeof lookupSchedulers === 'function';
}
