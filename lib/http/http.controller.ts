import {
  Catch,
  Controller,
  Delete,
  Get,
  Inject,
  Patch,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type Type,
} from '@nestjs/common';
import { HttpMount } from './http.mount.js';
import { describeInDocument, leaveOutOfDocument } from './openapi.app.js';
import type { PlatformRequest } from './request.reader.js';
import type { Route } from './route.js';

const verbs = { GET: Get, POST: Post, PATCH: Patch, DELETE: Delete } as const;

type Served = (request: PlatformRequest, response: unknown) => Promise<void>;

/**
 * A controller of its own for each module, so that no two share their guards, with a method for each route. It answers by itself: interceptors of the application that wrap what is returned
 * leave it as it is, and its pipes see no body.
 */
export function httpController(
  path: string,
  guards: readonly (Type<CanActivate> | CanActivate)[],
  routes: readonly Route[],
  openapi: 'own' | 'app',
): Type {
  /** Of guards: whoever is refused by them gets a problem as well. */
  class ChronisHttpFilter implements ExceptionFilter {
    constructor(private readonly mount: HttpMount) {}
    catch(error: unknown, host: ArgumentsHost): void {
      this.mount.refuse(host.switchToHttp().getResponse(), error);
    }
  }
  Inject(HttpMount)(ChronisHttpFilter, undefined, 0);
  Catch()(ChronisHttpFilter);

  class ChronisHttpController {
    constructor(readonly mount: HttpMount) {}
  }
  Inject(HttpMount)(ChronisHttpController, undefined, 0);
  const prototype = ChronisHttpController.prototype as ChronisHttpController & Record<string, Served>;
  for (const route of routes) {
    const value: Served = function (this: ChronisHttpController, request, response) {
      return this.mount.serve(route, request, response);
    };
    Object.defineProperty(prototype, route.name, { value, configurable: true, writable: true });
    verbs[route.method](route.path)(
      prototype,
      route.name,
      Object.getOwnPropertyDescriptor(prototype, route.name)!,
    );
    Req()(prototype, route.name, 0);
    Res()(prototype, route.name, 1);
  }
  Controller({ path, version: VERSION_NEUTRAL })(ChronisHttpController);
  UseFilters(ChronisHttpFilter)(ChronisHttpController);
  if (guards.length > 0) UseGuards(...guards)(ChronisHttpController);
  if (openapi === 'app') describeInDocument(ChronisHttpController, routes);
  else leaveOutOfDocument(ChronisHttpController);
  return ChronisHttpController;
}
