// The door `nestjs-chronis/executors`: what carries out tasks without code of the application, each by option.
export { BinaryExecutor } from './binary.executor.js';
export type { BinaryOptions } from './binary.options.js';
export { BinaryStore, type BinaryContent } from './binary.store.js';
export type { BinaryTask } from './binary.task.js';
export { CommandExecutor } from './command.executor.js';
export type { CommandOptions } from './command.options.js';
export type { CommandResult } from './command.result.js';
export type { CommandTask } from './command.task.js';
export { ChronisExecutorsModule } from './executors.module.js';
export type {
  ChronisExecutorsAsyncOptions,
  ChronisExecutorsModuleOptions,
  ChronisExecutorsOptions,
  ChronisExecutorsOptionsFactory,
} from './executors.options.js';
export { EmitExecutor, type EmitResult } from './emit.executor.js';
export type {
  EmitOptions,
  EventClient,
  EventClientOptions,
  TaskQueue,
  TaskQueueOptions,
} from './emit.options.js';
export type { EmitTask } from './emit.task.js';
export type { ProgramOptions } from './program.options.js';
export type { ProgramTask } from './program.task.js';
export { HttpExecutor } from './http.executor.js';
export type { HttpOptions } from './http.options.js';
export type { HttpResult } from './http.result.js';
export type { HttpTask } from './http.task.js';
