import type * as Api from '@opentelemetry/api';
import { InvalidOptionError } from '../index.js';

/** What is loaded of OpenTelemetry: its API, which does nothing where the application has no SDK. */
export type OpenTelemetry = typeof Api;

/** Throws InvalidOptionError: it is not installed. */
export function loadOpenTelemetry(): OpenTelemetry {
  try {
    return require('@opentelemetry/api') as OpenTelemetry;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new InvalidOptionError(
      'ChronisTracingModule',
      `needs @opentelemetry/api: npm install @opentelemetry/api@^1.9.0 (${why}).`,
    );
  }
}
