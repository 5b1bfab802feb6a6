import 'reflect-metadata';
import { contextParameters, type RunContext } from '../index.js';

type Method = (...args: unknown[]) => unknown;

/** A method that a decorator schedules, on the instance that has it. */
export class ScheduledMethod {
  constructor(
    readonly instance: Record<string, Method>,
    readonly name: string,
  ) {}

  get method(): Method {
    return this.instance[this.name]!;
  }

  /** `ReportService.daily`: in messages, and the id of a stored job without a name. */
  get place(): string {
    return `${this.instance.constructor.name}.${this.name}`;
  }

  /** As a timer calls it, without anything, but for parameters with `@Ctx()`: those that other code calls it with (`force = false`) look alike to compilers. */
  call(context: RunContext | undefined): unknown {
    const given: unknown[] = [];
    for (const index of this.contexts ?? []) given[index] = context;
    return this.method.call(this.instance, ...given);
  }

  /** Whether it takes something, and nothing tells what: not a class or a plain type, no default value, no decorator. */
  get takesUnknown(): boolean {
    if (this.contexts !== null || this.method.length === 0) return false;
    const types = Reflect.getMetadata('design:paramtypes', this.prototype, this.name) as
      | unknown[]
      | undefined;
    // Interfaces are that, and so is the RunContext.
    return types === undefined || types[0] === Object;
  }

  private get contexts(): readonly number[] | null {
    return contextParameters(this.prototype, this.name);
  }

  private get prototype(): object {
    return Object.getPrototypeOf(this.instance) as object;
  }
}
