import { Inject, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { ChronisSettings } from './chronis.settings.js';
import type { ChronisEvents } from './events/chronis.events.js';
import { MemoryStorage } from './memory/memory.storage.js';
import { InvalidOptionError } from './model/errors.js';
import {
  isRecipe,
  type AdapterInput,
  type AdapterRecipe,
  type InjectionToken,
} from './ports/adapter.recipe.js';
import type { LockAdapter } from './ports/lock.adapter.js';
import { StorageAdapter } from './ports/storage.adapter.js';

/** The storage, ready for use. `assertCode`: throws what is wrong with the code, before the storage is touched. */
export async function openStorage(
  settings: ChronisSettings,
  moduleRef: ModuleRef,
  events: ChronisEvents,
  assertCode: (storage: StorageAdapter) => void,
): Promise<StorageAdapter> {
  const { storage: given, clock } = settings;
  const storage = given === null ? new MemoryStorage({ clock }) : await made(given, 'storage', moduleRef);
  try {
    assertCode(storage);
  } catch (error) {
    await storage.close().catch(() => undefined);
    throw error;
  }
  let failures = 0;
  await storage.init((error, retryInMs) => {
    failures++;
    events.emit('storage.failing', { operation: 'connect', error, retryInMs });
  });
  if (failures > 0) events.emit('storage.recovered', { operation: 'connect', failures });
  return storage;
}

/** The lock, ready for use: the one given, or the storage's own. Closes the storage when there can be none. */
export async function openLock(
  settings: ChronisSettings,
  moduleRef: ModuleRef,
  storage: StorageAdapter,
): Promise<LockAdapter> {
  try {
    const lock =
      settings.lock === null ? storage.lock : await made(settings.lock, 'lock', moduleRef, storage);
    if (storage.shared && !lock.shared) {
      throw new InvalidOptionError(
        'lock',
        `other processes use the same storage (${storage.kind}), but this lock is seen by this process alone. Leave the option out to use the storage's own lock, or give a shared one such as typeOrmLock().`,
      );
    }
    await lock.init();
    return lock;
  } catch (error) {
    await storage.close().catch(() => undefined);
    throw error;
  }
}

async function made<T extends StorageAdapter | LockAdapter>(
  input: AdapterInput<T>,
  option: 'storage' | 'lock',
  moduleRef: ModuleRef,
  storage?: StorageAdapter,
): Promise<T> {
  if (!isRecipe(input)) return ofKind(input, option);
  // It would wait for itself.
  if (option === 'storage' && input.inject?.includes(StorageAdapter)) throw misplaced(option);
  const dependencies = await dependenciesOf(input, option, moduleRef, storage);
  const adapter = await input.create(...(dependencies as never[]));
  if (typeof (adapter as Partial<T> | null)?.init === 'function') return ofKind(adapter, option);
  throw new InvalidOptionError(option, 'the recipe made something that is not an adapter.');
}

function ofKind<T extends object>(adapter: T, option: 'storage' | 'lock'): T {
  const isOther = option === 'storage' ? 'acquire' in adapter : 'syncDefinitions' in adapter;
  if (isOther) throw misplaced(option);
  return adapter;
}

function misplaced(option: 'storage' | 'lock'): InvalidOptionError {
  return new InvalidOptionError(
    option,
    option === 'storage'
      ? 'is a lock. Give it as lock, and here a storage such as typeOrmStorage({ url }).'
      : 'is a storage. Give it as storage, and here a lock such as typeOrmLock(), or nothing.',
  );
}

/**
 * What the recipe's tokens stand for. Nest makes an object that takes them, since only its constructor injection waits for providers that
 * are still being made, such as a DataSource that connects.
 */
async function dependenciesOf(
  { inject = [] }: AdapterRecipe<unknown>,
  option: string,
  moduleRef: ModuleRef,
  storage?: StorageAdapter,
): Promise<unknown[]> {
  // That of the own instance, whatever its token is.
  const own = inject.indexOf(StorageAdapter);
  if (storage !== undefined && own >= 0) {
    const others = inject.filter((token) => token !== StorageAdapter);
    const found = await dependenciesOf({ inject: others } as never, option, moduleRef);
    return found.toSpliced(own, 0, storage);
  }
  class Ingredients {
    readonly list: unknown[];
    constructor(...list: unknown[]) {
      this.list = list;
    }
  }
  for (const [i, token] of inject.entries()) Inject(token as never)(Ingredients, undefined, i);
  try {
    return (await moduleRef.create(Ingredients as Type<Ingredients>)).list;
  } catch (error) {
    if ((error as Error).constructor.name !== 'UnknownDependenciesException') throw error;
    const problem = `its recipe needs ${inject.map(nameOf).join(', ')}, which ChronisModule cannot see. Use forRootAsync({ imports: [the module that exports it], … }), or have a global module export it.`;
    throw Object.assign(new InvalidOptionError(option, problem), { cause: error });
  }
}

function nameOf(token: InjectionToken): string {
  return typeof token === 'function' ? token.name : String(token);
}
