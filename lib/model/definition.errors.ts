import { ChronisError } from './chronis.error.js';

/** No definition has this name, or this version of it, or it was deleted. @publicApi */
export class DefinitionNotFoundError extends ChronisError {
  constructor(
    readonly definition: string,
    readonly namespace: string,
    /** Null: none is there at all that lives. */
    readonly version: number | null,
    problem: string,
  ) {
    const which = version === null ? '' : `version ${version} of `;
    super(
      'CHRONIS_DEFINITION_NOT_FOUND',
      `There is no ${which}definition "${definition}" in the namespace "${namespace}"${problem}`,
    );
  }
}

/** The version of a definition is there already, with other content, or was deleted. @publicApi */
export class DefinitionVersionTakenError extends ChronisError {
  constructor(
    readonly definition: string,
    readonly namespace: string,
    readonly version: number,
    isDeleted: boolean,
  ) {
    const problem = isDeleted ? 'was deleted, and no number is given twice' : 'has other content';
    super(
      'CHRONIS_DEFINITION_VERSION_TAKEN',
      `Version ${version} of the definition "${definition}" in the namespace "${namespace}" ${problem}. A version never changes: leave "version" out, and it becomes the next one.`,
    );
  }
}

/** The storage keeps no definitions. @publicApi */
export class DefinitionsNotSupportedError extends ChronisError {
  constructor(readonly storage: string) {
    super(
      'CHRONIS_DEFINITIONS_NOT_SUPPORTED',
      `The storage "${storage}" keeps no definitions: its adapter lacks "definitions". Use typeOrmStorage(), or MemoryStorage for tests, or create jobs by SchedulerService.`,
    );
  }
}
