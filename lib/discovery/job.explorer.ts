import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { DuplicateHandlerError, DuplicateJobError, InvalidOptionError } from '../model/errors.js';
import type { JobOverride } from '../model/job.options.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { Clock } from '../ports/clock.js';
import type { JobDefaults } from '../scheduler/job.definition.js';
import { refKey } from '../scheduler/job.identity.js';
import { lineOfText } from '../scheduler/option.checks.js';
import {
  isEnabled,
  naming,
  optionsOf,
  readSchedule,
  type ScheduleDeclaration,
} from './declaration.reader.js';
import type { DeclaredJob, Exploration, RepeatedProvider } from './declared.job.js';
import { DeclaringProvider } from './declaring.provider.js';
import {
  hasScheduleFactory,
  scheduleMade,
  type DeclarationConfiguration,
} from './declaration.configuration.js';
import { instanceOf } from './instance.names.js';
import type { MethodCalls } from './method.calls.js';
import { distinctProviders } from './distinct.providers.js';
import { addHandler, addJob, type Findings } from './findings.js';
import { isExecutor, readExecutor } from './executor.explorer.js';
import { assertNoneHidden } from './hidden.methods.js';
import type { LazyModules } from './lazy.modules.js';
import { methodEnhancers, optionsOfMethod } from './method.options.js';
import { unmarkedPayload } from './unmarked.payload.js';
import { unprovidedMethods } from './unprovided.classes.js';
import { isWorkflow, readWorkflow } from './workflow.explorer.js';

/** What the explorer works with. */
export interface ExplorerParts {
  discovery: DiscoveryService;
  scanner: MetadataScanner;
  clock: Clock;
  defaults: JobDefaults;
  calls: MethodCalls;
  configuration: DeclarationConfiguration;
  /** Whose declarations are read. */
  instance: string;
  /** The names of all instances of the application. */
  known: () => readonly string[];
  /** Absent: there are no providers yet. */
  lazy?: LazyModules | undefined;
}

/** Reads the decorators of all providers and controllers, those of one instance. */
export class JobExplorer {
  private exploration: Exploration | null = null;
  /** The providers that were read. */
  private readonly sources = new Set<object>();

  constructor(private readonly parts: ExplorerParts) {}

  /**
   * What the code declares; read once, when all providers exist. Throws what is wrong with a declaration, with the method's name in the
   * message, DuplicateJobError and DuplicateHandlerError.
   */
  explore(): Exploration {
    return (this.exploration ??= this.read());
  }

  /**
   * What providers declare that were not there before, as their modules were loaded since. Throws the same, and for what is declared already DuplicateJobError and DuplicateHandlerError; nothing is added then.
   */
  exploreMore(): Exploration {
    const known = this.explore();
    const more = this.read();
    for (const { definition, place } of more.jobs) {
      const other = known.jobs.find((job) => refKey(job.definition) === refKey(definition));
      if (other) throw new DuplicateJobError(definition.id, other.place, loadedLater(place, other.place));
    }
    for (const { name, place } of more.handlers) {
      const other = known.handlers.find((handler) => handler.name === name);
      if (other) throw new DuplicateHandlerError(name, other.place, loadedLater(place, other.place));
    }
    const jobs = [...known.jobs, ...more.jobs];
    this.exploration = {
      ...known,
      jobs,
      handlers: [...known.handlers, ...more.handlers],
      workflows: [...known.workflows, ...more.workflows],
      repeated: [...known.repeated, ...more.repeated],
    };
    return more;
  }

  /** What the configuration says of a job that is found in another way. Throws InvalidOptionError. */
  overrideOf(id: string): JobOverride {
    return this.parts.configuration.overrideOf(id);
  }

  /** Methods with decorators of this package whose classes no module provides. */
  unprovidedMethods(): string[] {
    return unprovidedMethods(this.parts.discovery);
  }

  /** When all jobs are found. Throws InvalidOptionError for configuration of a job that is none of them. */
  assertConfigured(): void {
    this.parts.configuration.assertAllUsed();
  }

  /** A job that was found in another way. Throws DuplicateJobError. */
  add(job: DeclaredJob): void {
    const { jobs, minified, ...rest } = this.explore();
    const key = refKey(job.definition);
    const other = jobs.find(({ definition }) => refKey(definition) === key);
    if (other) throw new DuplicateJobError(job.definition.id, other.place, job.place);
    const isNamed = job.definition.id !== job.place || !looksMinified(job.place.split('.')[0]!);
    this.exploration = {
      ...rest,
      jobs: [...jobs, job],
      minified: isNamed ? minified : [...minified, job.place],
    };
  }

  /**
   * Throws the same for what the classes alone tell, before any provider exists: so a start that is refused for it has not touched the storage. Schedules that a factory makes, and providers that one
   * makes, are looked at later.
   */
  assertClasses(): void {
    this.read(DeclaringProvider.ofClass, (declaration) =>
      hasScheduleFactory(declaration) ? null : (declaration as ScheduleDeclaration),
    );
  }

  private read(of = DeclaringProvider.of, made = scheduleMade): Exploration {
    const found: Findings = {
      jobs: new Map(),
      handlers: new Map(),
      workflows: [],
      unapplied: [],
      unmarked: [],
      minified: new Set(),
    };
    const now = this.parts.clock.now();
    const repeated: RepeatedProvider[] = [];
    for (const provider of distinctProviders(
      this.parts.discovery,
      (each) => this.declaresAnything(each),
      repeated,
      of,
    )) {
      // What modules bring that are loaded later is read when they are, and nothing else again.
      if (this.sources.has(provider.source)) continue;
      this.sources.add(provider.source);
      for (const method of this.parts.scanner.getAllMethodNames(provider.prototype)) {
        this.readMethod(provider, method, now, found, made);
      }
      readWorkflow(provider, this.parts, now, found);
      readExecutor(provider, this.parts, found);
    }
    return {
      jobs: [...found.jobs.values()],
      handlers: [...new Set(found.handlers.values())],
      workflows: found.workflows,
      repeated: this.newlyRepeated(repeated),
      unapplied: found.unapplied,
      unmarked: found.unmarked,
      minified: [...found.minified],
    };
  }

  private newlyRepeated(all: readonly RepeatedProvider[]): RepeatedProvider[] {
    const known = this.exploration?.repeated ?? [];
    const isKnown = (one: RepeatedProvider): boolean =>
      known.some(({ className, ignored }) => className === one.className && ignored === one.ignored);
    return all.filter((one) => !isKnown(one));
  }

  private declaresAnything(provider: DeclaringProvider): boolean {
    const { lazy, scanner } = this.parts;
    assertNoneHidden(provider);
    if (lazy?.isReady(provider.module) === false) return false;
    if (isExecutor(provider) || isWorkflow(provider, scanner)) return true;
    return scanner
      .getAllMethodNames(provider.prototype)
      .some((method) => provider.declarationsOf(method).length > 0);
  }

  private readMethod(
    provider: DeclaringProvider,
    method: string,
    now: number,
    found: Findings,
    made: typeof scheduleMade,
  ): void {
    const all = provider.declarationsOf(method);
    if (all.length === 0) return;
    const { instance } = this.parts;
    const known = this.parts.known();
    const { className } = provider;
    const place = `${className}.${method}`;
    const declarations = all.filter((declaration) =>
      naming(declaration, place, () => instanceOf(declaration.options, known) === instance),
    );
    if (declarations.length === 0) return;
    if (className === '') {
      throw new InvalidOptionError(
        `.${method}`,
        'the class has no name, so its jobs have none. Give it one.',
      );
    }
    const { label, prototype } = provider;
    const origin = { place, provider: label, prototype };
    const names = new Map<string, Pick<HandlerOptions, 'previousNames'>>();
    for (const declaration of declarations) {
      if (declaration.kind !== 'handler') continue;
      naming(declaration, place, () => {
        const { previousNames = [] } = optionsOf(declaration);
        names.set(lineOfText(declaration.name, 'name'), { previousNames });
      });
    }
    const [handler = place] = names.keys();
    const schedules = declarations.filter((declaration) => declaration.kind !== 'handler');
    for (const [i, declaration] of schedules.entries()) {
      const defaultId = i === 0 ? place : `${place}#${i + 1}`;
      naming(declaration, place, () => {
        const configured = this.parts.configuration.configured(declaration, defaultId);
        const scheduled = isEnabled(configured) ? made(configured, provider) : null;
        if (scheduled === null) return;
        const job = readSchedule(scheduled, { defaultId, handler, place }, this.parts.defaults, now);
        addJob(found, { ...job, ...origin });
        if (looksMinified(className) && job.definition.id === defaultId) found.minified.add(place);
        if (names.size === 0) names.set(place, {});
      });
    }
    const enhancers = methodEnhancers(declarations, place);
    const run = this.parts.calls.of(provider, method, enhancers);
    const decorators = this.parts.calls.unapplied(provider, method, enhancers);
    if (names.size > 0 && decorators.length > 0) found.unapplied.push({ place, decorators });
    const unmarked = names.size > 0 ? unmarkedPayload(prototype, method) : null;
    if (unmarked !== null) found.unmarked.push({ place, ...unmarked });
    const options = optionsOfMethod(declarations, place);
    if (looksMinified(className) && names.has(place)) found.minified.add(place);
    for (const [name, own] of names) {
      addHandler(found, { name, run, options: { ...options, ...own }, ...origin });
    }
  }
}

/** Two classes may have one name. */
function loadedLater(place: string, other: string): string {
  return place === other ? `${place} of a module that was loaded later` : place;
}

/**
 * Names that bundlers give when they shorten them: another build gives them to other classes. Where this package is in the bundle, its own names tell whether it does that; the names of a large one
 * have three letters or four.
 */
function looksMinified(className: string): boolean {
  if (className.length <= 2) return true;
  return className.length <= 4 && (JobExplorer.name !== 'JobExplorer' || /^[a-z_$]/.test(className));
}
