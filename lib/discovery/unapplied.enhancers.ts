import 'reflect-metadata';

// Nest's own keys, on the function of a method.
const enhancers = {
  __guards__: '@UseGuards',
  __interceptors__: '@UseInterceptors',
  __exceptionFilters__: '@UseFilters',
};
const route = 'path';

/** The decorators of Nest on a method that only `useEnhancers` applies. Those of a route are applied where it is one. */
export function unappliedEnhancers(method: object): string[] {
  if (isRoute(method)) return [];
  return Object.entries(enhancers)
    .filter(([key]) => Reflect.hasMetadata(key, method))
    .map(([, decorator]) => decorator);
}

export function isRoute(method: object): boolean {
  return Reflect.hasMetadata(route, method);
}
