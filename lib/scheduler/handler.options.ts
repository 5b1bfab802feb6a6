import type { RetryRules } from '../model/retry.rules.js';
import { InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import { assertPayloadSchema } from '../engine/payload.check.js';
import { described, knownOptions, lineOfText } from './option.checks.js';

export const handlerOptionKeys = [
  'retryIf',
  'backoff',
  'schema',
  'previousNames',
] satisfies (keyof HandlerOptions)[];
const maxPreviousNames = 100;

/** The options of a handler, validated. `owner` is who has them, for the message. */
export function handlerOptionsOf(given: HandlerOptions, owner: string): HandlerOptions {
  knownOptions(given, handlerOptionKeys, owner);
  const { schema, previousNames, ...rules } = given;
  const options: HandlerOptions = retryRulesOf(rules, owner);
  if (previousNames !== undefined) options.previousNames = previousNamesOf(previousNames);
  if (schema !== undefined) options.schema = assertPayloadSchema(schema);
  return options;
}

/** Names that a handler had, validated. */
export function previousNamesOf(given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length > maxPreviousNames) {
    throw new InvalidOptionError(
      'previousNames',
      `must be a list of at most ${maxPreviousNames} names, but is ${described(given)}.`,
    );
  }
  return given.map((name, nth) => lineOfText(name, `previousNames[${nth}]`));
}

/** The rules of a handler, validated. `owner` is who has them, for the message. */
export function retryRulesOf(given: RetryRules, owner: string): RetryRules {
  const { retryIf, backoff } = knownOptions(given, ['retryIf', 'backoff'], owner) as RetryRules;
  const rules: RetryRules = {};
  if (retryIf !== undefined) rules.retryIf = functionOf(retryIf, 'retryIf');
  if (backoff !== undefined) rules.backoff = functionOf(backoff, 'backoff', ' Data belongs to the job.');
  return rules;
}

function functionOf<F>(given: F, option: string, hint = ''): F {
  if (typeof given === 'function') return given;
  throw new InvalidOptionError(option, `must be a function, but is ${described(given)}.${hint}`);
}
