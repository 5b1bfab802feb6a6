import type { PayloadSchema } from './payload.schema.js';
import type { RetryRules } from './retry.rules.js';

/** What a handler that is a method decides besides. @publicApi */
export interface MethodOptions {
  /** Whether the guards, interceptors and exception filters of Nest are applied to the method. @default the module's */
  useEnhancers?: boolean;
  /** The ChronisModule that it belongs to, by its name. @default the one without a name */
  instance?: string;
}

/** What a handler decides itself: its retries, which payloads it takes, and the names that it had before. Belongs to the code, never stored. @publicApi */
export interface HandlerOptions extends RetryRules {
  /**
   * What payloads are checked with, when a job is created or changed and again before it runs; the handler gets the schema's output.
   * @default any JSON
   */
  schema?: PayloadSchema;
  /**
   * Names that the handler had before: what was stored under them, jobs, runs that wait and callbacks, it runs as well. To be removed when none of that is left. At most 100.
   * @default none
   */
  previousNames?: readonly string[];
}
