import { writeSync } from 'node:fs';
import type { ResolveHook } from 'node:module';

/** A hook for module.register: prints which packages the files of a folder of `lib` ask for, a line each. */
export const resolve: ResolveHook = (specifier, context, next) => {
  const isOurs = context.parentURL?.includes('/out/test/lib/') === true;
  if (isOurs && !/^[./]|^node:|^file:/.test(specifier)) writeSync(1, `${specifier}\n`);
  return next(specifier, context);
};
