/** What the process ends with. */
export const exitCodes = {
  fine: 0,
  /** It was tried, and did not work. */
  failed: 1,
  /** It was looked for differences or problems, and there are some. */
  found: 2,
  /** What was asked for makes no sense. */
  usage: 64,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
