import {
  Controller,
  Get,
  Inject,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ChronisMetrics } from './chronis.metrics.js';

/** A controller of its own for each module, so that no two share their guards. It answers by itself: interceptors of the application that wrap what is returned leave it as it is. */
export function metricsController(path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type {
  class ChronisMetricsController {
    constructor(
      private readonly metrics: ChronisMetrics,
      private readonly host: HttpAdapterHost,
    ) {}

    async scrape(response: unknown): Promise<void> {
      const text = await this.metrics.text();
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'Content-Type', this.metrics.contentType);
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
      httpAdapter.reply(response, text, 200);
    }
  }
  Inject(ChronisMetrics)(ChronisMetricsController, undefined, 0);
  Inject(HttpAdapterHost)(ChronisMetricsController, undefined, 1);
  const method = Object.getOwnPropertyDescriptor(ChronisMetricsController.prototype, 'scrape')!;
  Get()(ChronisMetricsController.prototype, 'scrape', method);
  Res()(ChronisMetricsController.prototype, 'scrape', 0);
  Controller({ path, version: VERSION_NEUTRAL })(ChronisMetricsController);
  if (guards.length > 0) UseGuards(...guards)(ChronisMetricsController);
  return ChronisMetricsController;
}
