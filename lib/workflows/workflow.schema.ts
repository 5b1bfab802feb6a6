import type { JsonObject } from '../model/json.js';
import { Priority } from '../model/priority.js';
import { maxTaskType } from '../model/task.js';
import { maxWorkflowName, stepNamePattern } from './workflow.limits.js';

const duration: JsonObject = {
  description: "Milliseconds, text such as '5m', or parts that add up.",
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', minLength: 1, maxLength: 100 },
    {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: Object.fromEntries(
        ['weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'].map((part) => [
          part,
          { type: 'number', minimum: 0 },
        ]),
      ),
    },
  ],
};

const line = (maxLength: number): JsonObject => ({
  type: 'string',
  maxLength,
  pattern: '^(?=.*\\S)[^\\p{Cc}\\p{Surrogate}]+$',
});

/** In any case. */
const levels = Object.keys(Priority).map((level) =>
  level
    .split('')
    .map((letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)
    .join(''),
);

const backoffOf = (type: string, more: JsonObject): JsonObject => ({
  type: 'object',
  required: ['type'],
  anyOf: [{ required: ['delay'] }, { required: ['delayMs'] }],
  additionalProperties: false,
  properties: { type: { const: type }, delay: duration, delayMs: duration, ...more },
});

/** What holds where a key is true. */
const unlessTrue = (key: string, condition: JsonObject): JsonObject => ({
  anyOf: [{ not: { required: [key], properties: { [key]: { const: true } } } }, condition],
});

const step: JsonObject = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: stepNamePattern },
    handler: line(255),
    task: {
      description:
        'In place of a handler and its payload: the type names the executor, the rest is what that takes.',
      type: 'object',
      required: ['type'],
      properties: { type: line(maxTaskType) },
    },
    workflow: line(maxWorkflowName),
    manual: { type: 'boolean' },
    map: { type: 'boolean' },
    after: {
      description: 'Its parents. An object names one that is only waited for.',
      anyOf: [
        { type: 'string' },
        {
          type: 'array',
          uniqueItems: true,
          items: {
            anyOf: [
              { type: 'string' },
              {
                type: 'object',
                required: ['step', 'order'],
                additionalProperties: false,
                properties: { step: { type: 'string' }, order: { const: true } },
              },
            ],
          },
        },
      ],
    },
    need: { anyOf: [{ enum: ['all', 'any'] }, { type: 'integer', minimum: 1 }] },
    otherwise: { enum: ['block', 'cancel', 'run'] },
    delay: duration,
    allowFailure: { type: 'boolean' },
    timeout: { anyOf: [duration, { type: 'null' }] },
    payload: {},
    queue: line(100),
    priority: {
      anyOf: [
        { type: 'integer', minimum: 0, maximum: 9 },
        { type: 'string', pattern: `^(?:${levels.join('|')})$` },
      ],
    },
    maxRetries: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    backoff: {
      anyOf: [
        duration,
        { type: 'array', minItems: 1, maxItems: 100, items: duration },
        backoffOf('fixed', {}),
        backoffOf('linear', { max: duration, maxMs: duration }),
        backoffOf('exponential', { max: duration, maxMs: duration, jitter: { type: 'boolean' } }),
      ],
    },
    recovery: { enum: ['rerun', 'abandon'] },
    maxLost: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  },
  dependentRequired: { need: ['after'], otherwise: ['after'] },
  allOf: [
    { not: { required: ['handler', 'workflow'] } },
    {
      not: {
        required: ['task'],
        anyOf: ['handler', 'workflow', 'payload'].map((key) => ({ required: [key] })),
      },
    },
    unlessTrue('manual', {
      not: {
        anyOf: ['handler', 'task', 'workflow', 'payload', 'maxRetries', 'backoff', 'recovery', 'maxLost'].map(
          (key) => ({ required: [key] }),
        ),
      },
    }),
    unlessTrue('map', {
      required: ['after'],
      not: { anyOf: [{ required: ['payload'] }, { required: ['task'] }] },
    }),
  ],
};

/**
 * The JSON Schema (2020-12) of a WorkflowDefinition, for editors, and for files and requests that hold one. It says what each step may say; what steps have to do with each other, such as
 * unknown parents and cycles, is checked where the definition is used. @publicApi
 */
export const workflowSchema: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Workflow',
  type: 'object',
  required: ['name', 'steps'],
  additionalProperties: false,
  properties: {
    name: line(maxWorkflowName),
    steps: { type: 'array', items: step },
    timeout: { anyOf: [duration, { type: 'null' }] },
  },
};
