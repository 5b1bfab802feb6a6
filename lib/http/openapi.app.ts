import { InvalidOptionError } from '../index.js';
import { parametersOf } from './openapi.js';
import type { Route } from './route.js';

/** What of `@nestjs/swagger` is needed. */
interface Swagger {
  ApiOperation(options: object): MethodDecorator;
  ApiParam(options: object): MethodDecorator;
  ApiQuery(options: object): MethodDecorator;
  ApiHeader(options: object): MethodDecorator;
  ApiBody(options: object): MethodDecorator;
  ApiResponse(options: object): MethodDecorator;
  ApiTags(...tags: string[]): ClassDecorator;
}

/** As `@ApiExcludeController()` has it, which is of no use without the package that reads it. */
export function leaveOutOfDocument(controller: object): void {
  Reflect.defineMetadata('swagger/apiExcludeController', [true], controller);
}

/** Describes the routes in the document of the application. Throws InvalidOptionError where `@nestjs/swagger` is not installed. */
export function describeInDocument(controller: { prototype: object }, routes: readonly Route[]): void {
  const swagger = loadSwagger();
  for (const route of routes) {
    const { name, summary, status, answer, body } = route;
    const decorators = [
      swagger.ApiOperation({ operationId: name, summary }),
      ...parametersOf(route).map((parameter) => {
        if (parameter.in === 'path') return swagger.ApiParam(parameter);
        return parameter.in === 'query' ? swagger.ApiQuery(parameter) : swagger.ApiHeader(parameter);
      }),
      ...(body === undefined ? [] : [swagger.ApiBody({ schema: body })]),
      swagger.ApiResponse({ status, description: summary, ...(answer && { schema: answer }) }),
    ];
    const descriptor = Object.getOwnPropertyDescriptor(controller.prototype, name)!;
    for (const decorate of decorators) decorate(controller.prototype, name, descriptor);
  }
  swagger.ApiTags('chronis')(controller as never);
}

function loadSwagger(): Swagger {
  try {
    return require('@nestjs/swagger') as Swagger;
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code !== 'MODULE_NOT_FOUND') throw cause;
    throw new InvalidOptionError(
      'openapi',
      `'app' describes the routes in the document of @nestjs/swagger, which is not installed: npm install @nestjs/swagger. Or leave the option out, and read openapi.json below the path.`,
    );
  }
}
