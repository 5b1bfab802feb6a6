import { Controller, Get } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, describe, expect, test } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { ChronisModule } from '../../lib/index.js';
import { HttpApp, platforms } from '../support/http.app.js';
import { HttpChronis } from './http.chronis.js';

class OwnController {
  hello(): string {
    return 'hello';
  }
}
Get()(OwnController.prototype, 'hello', Object.getOwnPropertyDescriptor(OwnController.prototype, 'hello')!);
Controller('own')(OwnController);

async function expectValid(document: Record<string, unknown>): Promise<void> {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect([valid, errors]).toEqual([true, undefined]);
}

describe.each(platforms)('the document of the API on %s', (platform) => {
  let chronis: HttpChronis | undefined;
  let app: HttpApp | undefined;
  afterEach(async () => {
    await chronis?.close();
    await app?.close();
    [chronis, app] = [undefined, undefined];
  });

  test('is valid OpenAPI, and has each route', async () => {
    chronis = await HttpChronis.boot(platform);
    const { json } = await chronis.get('openapi.json');
    await expectValid(json);
    const named = Object.values(
      json.paths as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(named.toSorted()).toEqual(allRoutes.map(({ name }) => name).toSorted());
    expect(new Set(named).size).toBe(named.length);
    expect(Object.keys(json.paths as object)).not.toContain('/dags');
    expect(json.paths['/jobs/{id}'].patch.parameters.map(({ name }: { name: string }) => name)).toEqual([
      'id',
      'id',
      'namespace',
      'If-Match',
    ]);
  });

  test('of the paths of Chronosched is another one', async () => {
    chronis = await HttpChronis.boot(platform, { chronosched: true });
    const { json } = await chronis.chronosched('GET', 'openapi.json');
    await expectValid(json);
    expect(Object.keys(json.paths as object)).toContain('/namespaces/{namespaceId}/dags/{dagId}/jobs');
  });

  const documentOf = async (openapi?: 'own' | 'app') => {
    const imports = [
      ChronisHttpModule.forRoot({ path: 'ops', ...(openapi && { openapi }) }),
      ChronisModule.forRoot({ log: false, autoStart: false }),
    ];
    app = await HttpApp.boot(platform, { imports, controllers: [OwnController] });
    return SwaggerModule.createDocument(app.app, new DocumentBuilder().build());
  };

  test('leaves that of the application as it is', async () => {
    expect(Object.keys((await documentOf()).paths)).toEqual(['/own']);
  });

  test('is part of that of the application where it is said so', async () => {
    const { paths } = await documentOf('app');
    expect(Object.keys(paths)).toContain('/own');
    expect(paths['/ops/jobs/{id}']!.patch).toMatchObject({
      operationId: 'updateJob',
      tags: ['chronis'],
      requestBody: { content: { 'application/json': { schema: { additionalProperties: false } } } },
      responses: { 200: { content: { 'application/json': { schema: { required: expect.any(Array) } } } } },
    });
  });
});
