import { Module, type DynamicModule, type ModuleMetadata, type Provider } from '@nestjs/common';
import { ChronisEvents, Clock, JobDeclarations, type InjectionToken } from '../index.js';
import { ChronisJobFiles } from './job.files.js';
import { jobFilesSettings, type JobFilesOptions } from './job.files.options.js';

/** Options that are made by the injector. @publicApi */
export interface JobFilesAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` takes. */
  inject?: (InjectionToken | { token: InjectionToken; optional: boolean })[];
  useFactory: (...dependencies: any[]) => JobFilesOptions | Promise<JobFilesOptions>;
}

const optionsToken = Symbol('jobFilesOptions');

/**
 * Runs the jobs that the files of a folder describe, as long as they are there: `ChronisJobFilesModule.forRoot({ directory: '/etc/chronoflow/jobs.d' })`, beside ChronisModule. Each process that runs jobs, and is to have a say about the
 * files, imports it. @publicApi
 */
@Module({})
export class ChronisJobFilesModule {
  /** Options are checked when the application boots: InvalidOptionError. */
  static forRoot(options: JobFilesOptions): DynamicModule {
    return assemble([{ provide: optionsToken, useValue: options }]);
  }

  /** The same with options that a factory makes. */
  static forRootAsync({ imports = [], inject = [], useFactory }: JobFilesAsyncOptions): DynamicModule {
    return assemble([{ provide: optionsToken, inject: inject as never[], useFactory }], imports);
  }
}

function assemble(options: Provider[], imports: NonNullable<ModuleMetadata['imports']> = []): DynamicModule {
  return {
    module: ChronisJobFilesModule,
    imports,
    providers: [
      ...options,
      {
        provide: ChronisJobFiles,
        inject: [optionsToken, JobDeclarations, ChronisEvents, Clock],
        useFactory: (
          given: JobFilesOptions,
          declarations: JobDeclarations,
          events: ChronisEvents,
          clock: Clock,
        ) => new ChronisJobFiles(jobFilesSettings(given), declarations, events, clock),
      },
    ],
    exports: [ChronisJobFiles],
  };
}
