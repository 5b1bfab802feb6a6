import { DuplicateHandlerError, InvalidHandlerError, InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { RetryRules } from '../model/retry.rules.js';
import { HandlerSurroundings } from './chronis.interceptor.js';
import type { RunContext } from './run.context.js';

/** A registered handler. */
export interface Handler {
  name: string;
  /** Where it comes from, for messages: `ReportService.generate`, or `registerHandler()`. */
  origin: string;
  rules: RetryRules;
  /** What payloads are checked with before `run`; null: any are taken. */
  schema: PayloadSchema | null;
  run(context: RunContext): unknown;
}

/** The handlers of this process by name. */
export class HandlerRegistry {
  private readonly handlers = new Map<string, Handler>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly surroundings = new HandlerSurroundings()) {}

  /** Throws DuplicateHandlerError, InvalidHandlerError, InvalidOptionError (name). */
  register(
    name: string,
    run: (context: RunContext) => unknown,
    origin: string,
    { schema, ...rules }: HandlerOptions = {},
  ): void {
    if (typeof name !== 'string' || name.trim() === '') {
      throw new InvalidOptionError('handler', 'the name of a handler must be a non-empty string.');
    }
    if (typeof run !== 'function') throw new InvalidHandlerError(name, run);
    const existing = this.handlers.get(name);
    if (existing) throw new DuplicateHandlerError(name, existing.origin, origin);
    const surrounded = (context: RunContext): unknown => this.surroundings.call(context, run);
    this.handlers.set(name, { name, origin, rules, schema: schema ?? null, run: surrounded });
    for (const listener of this.listeners) listener();
  }

  get(name: string): Handler | undefined {
    return this.handlers.get(name);
  }

  has(name: string): boolean {
    return this.handlers.has(name);
  }

  names(): string[] {
    return [...this.handlers.keys()];
  }

  /** Calls `listener` after each registration; returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
