import { thrownMessage, thrownStack } from '../model/thrown.js';

const longestMessage = 1_000;
const longestStack = 8_000;

/** What was thrown, as text of a bounded length. */
export function messageOf(error: unknown): string {
  return cut(thrownMessage(error), longestMessage);
}

export function stackOf(error: unknown): string | undefined {
  const stack = thrownStack(error);
  return stack === undefined ? undefined : cut(stack, longestStack);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
