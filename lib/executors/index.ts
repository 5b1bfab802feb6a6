// The door `nestjs-chronis/executors`: what carries out tasks without code of the application, each by option.
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
