import type { JsonValue } from './json.js';

/** What JSON makes of `T`: Dates are text, methods are left out, and `undefined` is null where it stands alone. @publicApi */
export type StepResult<T> = [unknown] extends [T]
  ? T
  : [T] extends [JsonValue]
    ? T
    : T extends undefined | void
      ? null
      : T extends { toJSON(): infer J }
        ? StepResult<J>
        : T extends readonly (infer E)[]
          ? StepResult<E>[]
          : T extends object
            ? {
                [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]:
                  | StepResult<Exclude<T[K], undefined>>
                  | Extract<T[K], undefined>;
              }
            : T;
