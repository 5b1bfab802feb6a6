/** Something Nest's injector can look up: a class, or a string or symbol token. Any function, as `getDataSourceToken()` says no more of a class. */
export type InjectionToken = string | symbol | Function;

/**
 * How to make an adapter: tokens that the injector resolves, and a function that takes what they stand for. So an
 * adapter is injected by Nest and knows nothing of the module. @publicApi
 */
export interface AdapterRecipe<T> {
  inject?: readonly InjectionToken[];
  create(...dependencies: never[]): T | Promise<T>;
}

/** An adapter, or the recipe for one. @publicApi */
export type AdapterInput<T> = T | AdapterRecipe<T>;

/** Tells a recipe from an instance. */
export function isRecipe<T extends object>(input: AdapterInput<T>): input is AdapterRecipe<T> {
  return 'create' in input && typeof input.create === 'function';
}
