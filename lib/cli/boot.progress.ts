import type { OnModuleInit } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

const mostNames = 3;
const ownOfNest = 'InternalCoreModule';
const hooks = ['onModuleInit', 'onApplicationBootstrap'] as const;
const endings = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;

/** Knows what the boot of an application waits for. It is provided by a global module, whose hooks are the first ones. */
export class BootProgress implements OnModuleInit {
  private readonly begun = new Set<string>();

  constructor(private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    for (const each of this.modules.values()) {
      for (const { instance } of [...each.providers.values(), ...each.controllers.values()])
        if (typeof instance === 'object' && instance !== null && instance !== this)
          for (const hook of [...hooks, ...endings]) this.follow(instance as object, hook);
    }
  }

  /** Hooks that have begun and not ended, and factories before these; as they are named. */
  waitsFor(): string[] {
    if (this.begun.size > 0) return [...this.begun].slice(0, mostNames);
    const modules = [...this.modules.values()].filter(({ name }) => name !== ownOfNest);
    const made = modules.flatMap(({ name, providers }) =>
      [...providers.values()]
        .filter((provider) => provider.inject && !provider.isAlias && provider.isDependencyTreeStatic())
        .filter(({ instance }) => instance === null || instance === undefined)
        .map(({ token, inject, name: provider }) => ({ token, inject: inject!, provider, module: name })),
    );
    const missing = new Set<unknown>(made.map(({ token }) => token));
    const isFirst = (inject: readonly unknown[]): boolean => !inject.some((token) => missing.has(token));
    return made
      .filter(({ inject }) => isFirst(inject))
      .slice(0, mostNames)
      .map(({ provider, module }) => `the factory of ${String(provider)} in ${module}`);
  }

  private follow(instance: object, hook: string): void {
    const original: unknown = Reflect.get(instance, hook);
    if (typeof original !== 'function') return;
    const { begun } = this;
    const name = `${hook}() of ${instance.constructor?.name || 'an object'}`;
    const value = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      begun.add(name);
      try {
        return await (Reflect.apply(original, this, args) as unknown);
      } finally {
        begun.delete(name);
      }
    };
    // What is frozen is called all the same, and has no name here.
    Reflect.defineProperty(instance, hook, { value, configurable: true, writable: true });
  }
}
