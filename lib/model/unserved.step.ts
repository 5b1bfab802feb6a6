/** A handler that flows still need. @publicApi */
export interface UnservedStep {
  workflow: string;
  /** null: it has none. */
  version: number | null;
  handler: string;
  /** How many need it. */
  flows: number;
}
