import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

/** An application that listens at a free port of this machine. `prepare`: before it does. */
export class HttpApp {
  private constructor(
    readonly app: INestApplication,
    readonly url: string,
  ) {}

  static async boot(
    platform: Platform,
    metadata: ModuleMetadata,
    prepare: (app: INestApplication) => unknown = () => undefined,
  ): Promise<HttpApp> {
    @Module(metadata)
    class AppModule {}
    const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(AppModule, adapter as ExpressAdapter, {
      logger: false,
      abortOnError: false,
    });
    await prepare(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new HttpApp(app, `http://127.0.0.1:${port}`);
  }

  async get(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string; body: string }> {
    const answer = await fetch(this.url + path, { headers });
    return {
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      body: await answer.text(),
    };
  }

  /** `body`: JSON, of what changes something. */
  async send(
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Headers; json: any }> {
    const json: Record<string, string> = method === 'GET' ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...json, ...headers },
      ...(method !== 'GET' && { body: typeof body === 'string' ? body : JSON.stringify(body ?? {}) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, json: parsed(text) };
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

/** Text that is no JSON stays text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** By node:http, as fetch does not let such headers and paths through. */
export function statusOf(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body?: string,
): Promise<number> {
  const { hostname, port } = new URL(url);
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  return new Promise((resolve, reject) => {
    const all = { ...headers, ...length };
    const request = httpRequest({ hostname, port, path, method, headers: all, agent: false }, (response) => {
      resolve(response.statusCode!);
      // What goes on does not end by itself.
      response.destroy();
    });
    request.on('error', reject).end(body);
  });
}
