/** The handler that opens workflows that are definitions: every process has it whose storage has workflows. */
export const workflowHandler = 'chronis.workflow';

/** Of this package: no message proposes it. */
export function isOwnHandler(name: string): boolean {
  return name === workflowHandler;
}
