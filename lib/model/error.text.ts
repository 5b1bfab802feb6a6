/** What each frame of a stored error begins with, and nothing before the first one has in it. */
export const beforeFrame = '\n    at ';

/** An error as the ledger, a job and a callback keep it. @publicApi */
export interface ErrorParts {
  /** Name and message, and those of its causes and parts, a line for each. */
  message: string;
  /** Where it comes from, as V8 writes frames; empty: it says nothing of that. */
  stack: string;
}

/** Takes the text of a stored error apart (`error` of an attempt, `lastError` of a job or a run): what went wrong, and where. @publicApi */
export function errorParts(text: string): ErrorParts {
  const end = text.indexOf(beforeFrame);
  return end === -1
    ? { message: text, stack: '' }
    : { message: text.slice(0, end), stack: text.slice(end + 1) };
}
