import type { Logger } from '@nestjs/common';

type Method = (...args: unknown[]) => unknown;

/** The method, whose errors go to the log and no further. */
export function guarded(
  method: Method,
  instance: unknown,
  logger: Logger,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    try {
      await method.call(instance, ...args);
    } catch (error) {
      logger.error(error);
    }
  };
}
