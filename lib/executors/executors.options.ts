import type { InjectionToken, ModuleMetadata, Type } from '@nestjs/common';
import type { BinaryOptions } from './binary.options.js';
import type { CommandOptions } from './command.options.js';
import type { EmitOptions } from './emit.options.js';
import type { HttpOptions } from './http.options.js';

/** Which executors there are, and what they may do: one that is not named does not exist. @publicApi */
export interface ChronisExecutorsOptions {
  /** Runs programs of this machine: tasks of the types `execute_command` and `cmd`. @default there is none */
  command?: CommandOptions;
  /** Runs programs that jobs bring along: tasks of the type `binary`. @default there is none */
  binary?: BinaryOptions;
  /** Calls URLs: tasks of the type `http`. @default there is none */
  http?: HttpOptions;
  /** Hands runs to brokers and queues: tasks of the type `emit`. @default there is none */
  emit?: EmitOptions;
}

/** Options that decide how the module is built. @publicApi */
export interface ChronisExecutorsModuleOptions extends ChronisExecutorsOptions {
  /** The ChronisModule whose tasks they carry out, by its name. @default the one without a name */
  instance?: string;
}

/** Makes the options of the module, for `useClass` and `useExisting`. @publicApi */
export interface ChronisExecutorsOptionsFactory {
  createChronisExecutorsOptions(): ChronisExecutorsOptions | Promise<ChronisExecutorsOptions>;
}

/** One of `useFactory`, `useClass` and `useExisting`. @publicApi */
export interface ChronisExecutorsAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** @default the one without a name */
  instance?: string;
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory?: (...dependencies: any[]) => ChronisExecutorsOptions | Promise<ChronisExecutorsOptions>;
  useClass?: Type<ChronisExecutorsOptionsFactory>;
  useExisting?: InjectionToken;
}
