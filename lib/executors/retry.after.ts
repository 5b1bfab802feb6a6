const msOfSecond = 1_000;
/** A server that says more is not believed. */
const longestMs = 24 * 60 * 60 * msOfSecond;
const formsOfDate =
  /^[A-Z][a-z]{2,8}(, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} [\d:]{8} GMT| [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;

/**
 * How long a server asks to wait, in milliseconds, a day at most: by seconds, or by a date, which is compared with the server's own where it tells it. null: it does not say, or nobody understands it.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * msOfSecond, longestMs);
  const until = instantOf(text);
  if (until === null) return null;
  const now = (date === undefined ? null : instantOf(date.trim())) ?? nowMs;
  return Math.min(Math.max(0, until - now), longestMs);
}

function instantOf(text: string): number | null {
  if (!formsOfDate.test(text)) return null;
  // The oldest of the three forms does not say that it is UTC.
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(ms) ? null : ms;
}
