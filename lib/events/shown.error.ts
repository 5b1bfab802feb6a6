const longestMessage = 1_000;
const longestStack = 8_000;

/** What was thrown, as text of a bounded length. */
export function messageOf(error: unknown): string {
  try {
    return cut(error instanceof Error ? error.message : String(error), longestMessage);
  } catch {
    return 'an error that cannot be shown as text';
  }
}

export function stackOf(error: unknown): string | undefined {
  return error instanceof Error && typeof error.stack === 'string'
    ? cut(error.stack, longestStack)
    : undefined;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
