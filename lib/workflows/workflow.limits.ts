/** Steps that one step may have after it, or that begin with the workflow. */
export const maxChildren = 10_000;
/** Parents of all steps together, and of those that a step adds. */
export const maxEdges = 100_000;
/** With the name of the step it is that of a handler, which has 255 characters at most. */
export const maxWorkflowName = 150;
export const maxStepName = 100;

/** Letters, digits and marks that are neither `/` nor `.`: those part the names of steps from what they are of. */
export const stepNamePattern = `^[\\p{L}\\p{N}_$-]{1,${maxStepName}}$`;
