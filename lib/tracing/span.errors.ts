import type { Span } from '@opentelemetry/api';
import type { Redactor } from '../index.js';
import type { OpenTelemetry } from './opentelemetry.js';

const longestMessage = 1_000;
/** A word of code: texts that say more may hold data. */
const wordOfCode = /^[\w.$-]{1,100}$/;

/** The code of an error, else the name of its class: of errors of one kind the same. */
export function errorType(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >;
  const found = [code, name].find((each) => typeof each === 'string' && wordOfCode.test(each));
  return (found as string | undefined) ?? '_OTHER';
}

/** Marks spans as failed. */
export class SpanErrors {
  constructor(
    private readonly api: OpenTelemetry,
    /** Of messages; null: none is told. */
    private readonly redactor: Redactor | null,
  ) {}

  /** `type`: in place of that of the error. */
  note(span: Span, error: unknown, type = errorType(error)): void {
    span.setAttribute('error.type', type);
    const message = this.messageOf(error);
    span.setStatus({
      code: this.api.SpanStatusCode.ERROR,
      ...(message !== undefined && { message }),
    });
  }

  private messageOf(error: unknown): string | undefined {
    if (this.redactor === null || error === null || error === undefined) return undefined;
    const { message = error } = (typeof error === 'object' ? error : {}) as { message?: unknown };
    return typeof message === 'string'
      ? this.redactor.text(message.slice(0, longestMessage), 'trace', 'error')
      : undefined;
  }
}
