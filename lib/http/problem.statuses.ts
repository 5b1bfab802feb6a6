/** Which status an error of the package comes to, by its code. What is not here is nobody's expectation: 500. */
export const statuses: Readonly<Record<number, readonly string[]>> = {
  400: [
    'CHRONIS_INVALID_OPTION',
    'CHRONIS_INVALID_SCHEDULE',
    'CHRONIS_INVALID_PAYLOAD',
    'CHRONIS_INVALID_JOB_ID',
    'CHRONIS_EMPTY_JOB_ID',
    'CHRONIS_INVALID_WORKFLOW',
  ],
  404: [
    'CHRONIS_JOB_NOT_FOUND',
    'CHRONIS_RUN_NOT_FOUND',
    'CHRONIS_WORKFLOW_RUN_NOT_FOUND',
    'CHRONIS_WORKFLOW_STEP_NOT_FOUND',
    'CHRONIS_DEFINITION_NOT_FOUND',
  ],
  409: [
    'CHRONIS_JOB_ALREADY_EXISTS',
    'CHRONIS_JOB_ID_TAKEN',
    'CHRONIS_REQUEST_REPEATED',
    'CHRONIS_RUN_NOT_OPEN',
    'CHRONIS_RUN_HAS_VERDICT',
    'CHRONIS_RUN_NOT_FAILED',
    'CHRONIS_TOO_MANY_SIGNALS',
    'CHRONIS_WORKFLOW_RUN_STATE',
    'CHRONIS_DEFINITION_VERSION_TAKEN',
  ],
  412: ['CHRONIS_STALE_JOB'],
  422: ['CHRONIS_HANDLER_NOT_FOUND', 'CHRONIS_UNKNOWN_TASK'],
  501: [
    'CHRONIS_AUDIT_NOT_SUPPORTED',
    'CHRONIS_DEFINITIONS_NOT_SUPPORTED',
    'CHRONIS_WORKFLOWS_NOT_SUPPORTED',
    'CHRONIS_TRANSACTION_NOT_SUPPORTED',
  ],
  503: [
    'CHRONIS_STORAGE',
    'CHRONIS_STORAGE_BUSY',
    'CHRONIS_STORAGE_IN_USE',
    'CHRONIS_STORAGE_DAMAGED',
    'CHRONIS_LOCK_TIMEOUT',
  ],
};

const byCode = new Map(
  Object.entries(statuses).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
);

/** null: the code is not one that a request can be to blame for. */
export function statusOf(code: string): number | null {
  return byCode.get(code) ?? null;
}
