import type { DefinitionKind } from './definition.js';

/** A handler that flows still need. @publicApi */
export interface UnservedStep {
  workflow: string;
  /** null: it has none. */
  version: number | null;
  handler: string;
  /** How many need it. */
  flows: number;
}

/** The latest version of a definition that is data, and handlers that it needs. @publicApi */
export interface UnservedDefinition {
  namespace: string;
  name: string;
  version: number;
  kind: DefinitionKind;
  /** Those that are lacking. */
  handlers: readonly string[];
}
