// The door `nestjs-chronis/testing`: named exports only.
export { ManualClock } from './manual.clock.js';
export { runLaw } from './law.js';
export type { Law, LawSubject, LockSubject, StorageSubject } from './law.js';
export { lockLaws } from './lock.laws.js';
export { storageLaws } from './storage.laws.js';
export { flaky, FlakyStorageError } from './flaky.storage.js';
export type { Fault, FlakyOptions } from './flaky.storage.js';
export { ChronisTesting } from './chronis.testing.js';
export type { Execution } from './execution.js';
export type { RunJobOptions, RunReport } from './run.report.js';
export type { PassOptions } from './pass.options.js';
export { ChronisTestingError } from './testing.errors.js';
export type { ChronisTestingModuleOptions, ChronisTestingOptions } from './testing.options.js';
