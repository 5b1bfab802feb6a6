/** Named priorities; lower runs first. @publicApi */
export const Priority = Object.freeze({ CRITICAL: 0, HIGH: 2, NORMAL: 5, LOW: 9 });

/** 0 (first) to 9 (last). @publicApi */
export type PriorityLevel = number;

/** A priority as users may give it. @publicApi */
export type PriorityInput = PriorityLevel | keyof typeof Priority | Lowercase<keyof typeof Priority>;
