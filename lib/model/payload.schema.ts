import type { JsonValue } from './json.js';
import { shownPath } from './shown.path.js';
import type { StandardSchema } from './standard.schema.js';

/** A class with class-validator decorators. @publicApi */
export type DtoClass<T = any> = new () => T;

/** What payloads are checked with: a Standard Schema (zod, valibot, arktype …) or a class-validator DTO class. @publicApi */
export type PayloadSchema = StandardSchema<any, any> | DtoClass;

/** What a schema takes: the payload of a job as it is created and stored. @publicApi */
export type PayloadInput<S extends PayloadSchema> =
  S extends StandardSchema<any, any>
    ? NonNullable<S['~standard']['types']>['input']
    : S extends DtoClass<infer T>
      ? JsonForm<T>
      : never;

/** What a schema gives: the payload as the handler gets it. @publicApi */
export type PayloadOutput<S extends PayloadSchema> =
  S extends StandardSchema<any, any>
    ? NonNullable<S['~standard']['types']>['output']
    : S extends DtoClass<infer T>
      ? T
      : never;

/**
 * What a schema of instances of `T` takes: those themselves, or their JSON. Dates may be text already, and methods are left out. @publicApi
 */
export type JsonForm<T> = [T] extends [JsonValue]
  ? T
  : T extends Date
    ? Date | string
    : T extends (infer E)[]
      ? JsonForm<E>[]
      : T extends object
        ? { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: JsonForm<T[K]> }
        : T;

/** One thing that is wrong with a payload. @publicApi */
export interface PayloadIssue {
  /** The way to it from the payload: `['items', 3, 'price']`. Empty: the payload as a whole. */
  path: readonly (string | number)[];
  message: string;
}

/** What a schema says about a payload. */
export type CheckedPayload = { value: unknown; issues: null } | { issues: readonly PayloadIssue[] };

const mostShown = 10;

/** The issues as one text: `at payload.to: is not an e-mail address; at payload.items[3]: …`. `what`: of what they are. */
export function issuesText(issues: readonly PayloadIssue[], what = 'payload'): string {
  const shown = issues
    .slice(0, mostShown)
    .map(({ path, message }) => (path.length === 0 ? message : `at ${what}${shownPath(path)}: ${message}`));
  if (issues.length > mostShown) shown.push(`and ${issues.length - mostShown} more`);
  return shown.join('; ');
}
