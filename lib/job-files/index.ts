// The door `nestjs-chronis/job-files`: jobs that the files of a folder describe.
export type { FilePlace } from './file.fault.js';
export type { FileError } from './job.file.js';
export { ChronisJobFiles } from './job.files.js';
export { ChronisJobFilesModule } from './job.files.module.js';
export type { JobFilesAsyncOptions } from './job.files.module.js';
export type { JobFilesOptions } from './job.files.options.js';
export type { FileJobStatus, JobFilesStatus, JobFileStatus } from './job.files.status.js';
