import {
  Controller,
  Get,
  Inject,
  Req,
  Res,
  UseInterceptors,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ChronisHealth } from './chronis.health.js';
import { DetailsInterceptor, isLetIn } from './details.guard.js';
import { isUp } from './health.indicator.js';

const [fine, unavailable] = [200, 503];

/** A controller of its own for each module. It answers by itself: interceptors of the application that wrap what is returned leave it as it is. */
export function healthController(path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type {
  class Details extends DetailsInterceptor {
    constructor(moduleRef: ModuleRef) {
      super(moduleRef, guards);
    }
  }
  Inject(ModuleRef)(Details, undefined, 0);

  class ChronisHealthController {
    constructor(
      private readonly chronis: ChronisHealth,
      private readonly host: HttpAdapterHost,
    ) {}

    live(request: object, response: unknown): void {
      const { live, reasons } = this.chronis.live();
      this.answer(request, response, live, { status: live ? 'ok' : 'failing', reasons });
    }

    async ready(request: object, response: unknown): Promise<void> {
      const { ready, reasons } = await this.chronis.ready();
      this.answer(request, response, ready, { status: ready ? 'ok' : 'failing', reasons });
    }

    async health(request: object, response: unknown): Promise<void> {
      const health = await this.chronis.health();
      this.answer(request, response, isUp(health.status), health);
    }

    private answer(request: object, response: unknown, up: boolean, details: object): void {
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
      const body = isLetIn(request) ? details : { status: up ? 'ok' : 'failing' };
      httpAdapter.reply(response, body, up ? fine : unavailable);
    }
  }
  Inject(ChronisHealth)(ChronisHealthController, undefined, 0);
  Inject(HttpAdapterHost)(ChronisHealthController, undefined, 1);
  const { prototype } = ChronisHealthController;
  for (const [name, route] of Object.entries({ live: 'live', ready: 'ready', health: '' })) {
    Get(route)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!);
    Req()(prototype, name, 0);
    Res()(prototype, name, 1);
  }
  Controller({ path, version: VERSION_NEUTRAL })(ChronisHealthController);
  UseInterceptors(Details)(ChronisHealthController);
  return ChronisHealthController;
}
