import { DuplicateHandlerError, InvalidHandlerError, InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { RetryRules } from '../model/retry.rules.js';
import { taskTypeOf } from '../model/task.js';
import { HandlerSurroundings } from './chronis.interceptor.js';
import type { RunContext } from './run.context.js';

/** A registered handler. */
export interface Handler {
  name: string;
  /** All under which it is known: that of now, and those that it had before. */
  names: readonly string[];
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
  private readonly own = new Map<string, Handler>();
  private readonly withdrawn = new Set<string>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly surroundings = new HandlerSurroundings()) {}

  /** Throws DuplicateHandlerError, InvalidHandlerError, InvalidOptionError (name). */
  register(
    name: string,
    run: (context: RunContext) => unknown,
    origin: string,
    options: HandlerOptions = {},
  ): void {
    if (typeof name !== 'string' || name.trim() === '') {
      throw new InvalidOptionError('handler', 'the name of a handler must be a non-empty string.');
    }
    if (typeof run !== 'function') throw new InvalidHandlerError(name, run);
    for (const each of [name, ...(options.previousNames ?? [])]) assertNoTask(each, origin);
    this.add(name, run, origin, options);
  }

  /** The executor of tasks, by its handler's name and those of its other types. Throws DuplicateHandlerError. */
  registerExecutor(
    name: string,
    run: (context: RunContext) => unknown,
    origin: string,
    options: HandlerOptions,
  ): void {
    this.add(name, run, origin, options);
  }

  /** A handler of this package: what others store calls it, and nobody is told of it where handlers are listed. Throws DuplicateHandlerError. */
  registerOwn(name: string, run: (context: RunContext) => unknown, rules: RetryRules = {}): void {
    const origin = 'nestjs-chronis';
    const existing = this.get(name);
    if (existing) throw new DuplicateHandlerError(name, existing.origin, origin);
    this.own.set(name, { name, names: [name], origin, rules, schema: null, run });
    this.tell();
  }

  /** From now on this process begins nothing for these names; they stay known. */
  withdraw(names: readonly string[]): void {
    for (const name of names) this.withdrawn.add(name);
    this.tell();
  }

  /** Takes back `withdraw`. */
  offer(names: readonly string[]): void {
    for (const name of names) this.withdrawn.delete(name);
    this.tell();
  }

  get(name: string): Handler | undefined {
    return this.handlers.get(name) ?? this.own.get(name);
  }

  has(name: string): boolean {
    return this.handlers.has(name) || this.own.has(name);
  }

  /** Those of the application. */
  names(): string[] {
    return [...this.handlers.keys()];
  }

  /** What this process begins runs of this name with; undefined: it begins none. */
  offeredFor(name: string): Handler | undefined {
    return this.withdrawn.size > 0 && this.withdrawn.has(name) ? undefined : this.get(name);
  }

  /** Those that others and the storage are told of. */
  offered(): string[] {
    const all = [...this.handlers.keys(), ...this.own.keys()];
    return this.withdrawn.size === 0 ? all : all.filter((name) => !this.withdrawn.has(name));
  }

  /** Calls `listener` after each change; returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private add(
    name: string,
    run: (context: RunContext) => unknown,
    origin: string,
    { schema, previousNames = [], ...rules }: HandlerOptions,
  ): void {
    const names = [...new Set([name, ...previousNames])];
    for (const each of names) {
      const existing = this.get(each);
      if (existing) throw new DuplicateHandlerError(each, existing.origin, origin);
    }
    const surrounded = (context: RunContext): unknown => this.surroundings.call(context, run);
    const handler = { names, origin, rules, schema: schema ?? null, run: surrounded };
    for (const each of names) this.handlers.set(each, { ...handler, name: each });
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Throws InvalidOptionError: jobs with tasks would call it. */
function assertNoTask(name: string, origin: string): void {
  const type = taskTypeOf(name);
  if (type === null) return;
  throw new InvalidOptionError(
    'handler',
    `"${name}" of ${origin} begins with "task:", as only executors of tasks do. Give it another name, or make it a class with @TaskExecutor('${type}').`,
  );
}
