import 'reflect-metadata';

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

  /**
   * Gives the argument also to methods that seem to take none, as decorators may wrap them; not to those whose parameter the compiler has noted as
   * something else, such as `sync(force = false)`, which other code calls as well.
   */
  call(argument: unknown): unknown {
    return this.method.call(this.instance, ...(this.mayTakeContext ? [argument] : []));
  }

  private get mayTakeContext(): boolean {
    const prototype = Object.getPrototypeOf(this.instance) as object;
    const types = Reflect.getMetadata('design:paramtypes', prototype, this.name) as unknown[] | undefined;
    // That of an interface, as of all that is no class.
    return types === undefined || types.length === 0 || types[0] === Object;
  }
}
