import { InvalidOptionError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { CheckedPayload, DtoClass, PayloadIssue } from '../model/payload.schema.js';

/** What is used of class-validator and class-transformer: optional peers, loaded when a DTO class is. */
interface Libraries {
  plainToInstance: (type: DtoClass, plain: object) => object;
  validate: (instance: object) => Promise<ValidationError[]>;
  getMetadataStorage: () => {
    getTargetValidationMetadatas(
      type: DtoClass,
      schema: string,
      always: boolean,
      strictGroups: boolean,
    ): readonly unknown[];
  };
}

/** As class-validator reports: a tree along the properties. */
interface ValidationError {
  target?: object;
  property: string;
  constraints?: Record<string, string>;
  children?: ValidationError[];
}

let loaded: Libraries | null = null;

/** Throws InvalidOptionError when the libraries are missing, or when the class has none of their decorators. */
export function assertDtoClass(type: DtoClass): DtoClass {
  const rules = librariesFor(type).getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  if (rules.length > 0) return type;
  throw new InvalidOptionError(
    'schema',
    `the class ${type.name} has no class-validator decorators, so it could not check anything.`,
  );
}

/** The output is an instance of the class. */
export async function checkDto(type: DtoClass, payload: JsonValue): Promise<CheckedPayload> {
  const { plainToInstance, validate } = librariesFor(type);
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    return { issues: [{ path: [], message: 'must be an object' }] };
  }
  const value = plainToInstance(type, payload);
  const errors = await validate(value);
  return errors.length === 0 ? { value, issues: null } : { issues: flattened(errors, []) };
}

function flattened(errors: readonly ValidationError[], above: readonly (string | number)[]): PayloadIssue[] {
  return errors.flatMap(({ target, property, constraints = {}, children = [] }) => {
    const path = [...above, Array.isArray(target) ? Number(property) : property];
    const own = Object.values(constraints).map((message) => ({ path, message }));
    return [...own, ...flattened(children, path)];
  });
}

function librariesFor({ name }: DtoClass): Libraries {
  if (loaded !== null) return loaded;
  try {
    const { plainToInstance } = require('class-transformer') as Libraries;
    const { validate, getMetadataStorage } = require('class-validator') as Libraries;
    return (loaded = { plainToInstance, validate, getMetadataStorage });
  } catch (cause) {
    const error = new InvalidOptionError(
      'schema',
      `the class ${name} needs class-validator and class-transformer: npm install class-validator class-transformer.`,
    );
    error.cause = cause;
    throw error;
  }
}
