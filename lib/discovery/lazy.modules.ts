import { ModuleRef, type LazyModuleLoader, type ModulesContainer } from '@nestjs/core';

type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/**
 * Sees that modules were loaded after the boot. Nest calls no hook of them and tells nobody, so the loader of the application is asked to: all that loads lazily has the same one.
 */
export class LazyModules {
  /** Those whose providers exist; null: nothing is loaded lazily yet, so nobody need ask. */
  private ready: Set<Module> | null = null;

  constructor(
    private readonly loader: LazyModuleLoader,
    private readonly modules: ModulesContainer,
  ) {}

  /** False: it is being loaded, and its providers must not be looked at, as Nest would take them for what they are not yet. */
  isReady(module: Module | undefined): boolean {
    return this.ready === null || module === undefined || this.ready.has(module);
  }

  /** Calls `found` when a load has brought modules; what that rejects with, the load does as well. */
  watch(found: () => Promise<void>): void {
    const { loader, modules } = this;
    const ready = (this.ready = new Set(modules.values()));
    const load = loader.load.bind(loader);
    loader.load = async (...args) => {
      const loaded = await load(...args);
      const module = [...modules.values()].find((each) => each.providers.get(ModuleRef)?.instance === loaded);
      if (module !== undefined && addTo(ready, module)) await found();
      return loaded;
    };
  }
}

/** With all that it imports. False: it was there. */
function addTo(ready: Set<Module>, module: Module): boolean {
  if (ready.has(module)) return false;
  ready.add(module);
  for (const imported of module.imports) addTo(ready, imported);
  return true;
}
