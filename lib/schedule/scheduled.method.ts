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

  /** Gives the argument only to methods that have a parameter for it. */
  call(argument: unknown): unknown {
    return this.method.call(this.instance, ...(this.method.length > 0 ? [argument] : []));
  }
}
