import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { ChronisInterceptor } from '../engine/chronis.interceptor.js';
import { InvalidOptionError } from '../model/errors.js';

export type InterceptorInput = ChronisInterceptor | Type<ChronisInterceptor>;

/** The interceptors that the option names, classes as the injector has them. Throws InvalidOptionError. */
export function resolveInterceptors(
  given: readonly InterceptorInput[],
  moduleRef: ModuleRef,
): ChronisInterceptor[] {
  return given.map((input, i) => {
    if (typeof input !== 'function') return input;
    try {
      return moduleRef.get<ChronisInterceptor>(input, { strict: false });
    } catch (cause) {
      const problem = `${input.name} is not a provider that there is one of. Add it to the providers of a module, without a scope, or give an instance.`;
      throw Object.assign(new InvalidOptionError(`interceptors[${i}]`, problem), { cause });
    }
  });
}
