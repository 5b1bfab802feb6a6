import type {
  CarriedSet,
  ConflictPolicy,
  Firing,
  NewJob,
  Settlement,
  StorageAdapter,
  SyncRequest,
} from '../../lib/ports/storage.adapter.js';

type Methods = Partial<Record<keyof StorageAdapter, (...args: never[]) => unknown>>;

/** The storage with some methods of another kind. */
function spoilt(storage: StorageAdapter, methods: Methods): StorageAdapter {
  return new Proxy(storage, {
    get: (target, key) => {
      const own = methods[key as keyof StorageAdapter];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Faults that are planted to see whether they are noticed. */
export const planted: Readonly<Record<string, (storage: StorageAdapter) => StorageAdapter>> = {
  'settles whatever it is asked to, whoever owns the run': (storage) =>
    spoilt(storage, {
      async settle(settlements: readonly Settlement[]) {
        const { items } = await storage.queryRuns({}, { limit: 1_000 });
        const holds = new Map(items.map((run) => [run.id, run]));
        return storage.settle(
          settlements.map((item) => {
            const run = holds.get(item.runId);
            return { ...item, fence: run?.fence ?? item.fence, worker: run?.worker ?? item.worker };
          }),
        );
      },
    }),
  'hands to others what must not run twice': (storage) =>
    spoilt(storage, {
      insertJobs: (jobs: readonly NewJob[], onConflict: ConflictPolicy) =>
        storage.insertJobs(
          jobs.map((job) => ({ ...job, policies: { ...job.policies, recovery: 'rerun' as const } })),
          onConflict,
        ),
    }),
  'forgets an instant now and then': (storage) => {
    let firings = 0;
    return spoilt(storage, {
      fire: (...[capability, list, ...more]: Parameters<StorageAdapter['fire']>) =>
        storage.fire(
          capability,
          list.map((firing) => (++firings % 20 === 0 ? { ...firing, births: [] } : firing)),
          ...more,
        ),
    });
  },
  'fires each instant of a short stop by itself': (storage) =>
    spoilt(storage, {
      fire: (...[capability, list, ...more]: Parameters<StorageAdapter['fire']>) =>
        storage.fire(
          capability,
          list.map((firing) => ({ ...firing, ...apart(firing) })),
          ...more,
        ),
    }),
  'releases nothing while one of the runs is locked': (storage) => {
    let left = 0;
    return spoilt(storage, {
      async releaseLost(runIds?: readonly string[] | null) {
        // As with a wait for the lock that is given up each time, and nothing handed out until then.
        const answer = await storage.releaseLost(runIds);
        left = answer.left.length;
        if (left > 0) throw new Error('canceling statement due to statement timeout');
        return answer;
      },
      claim(...given: Parameters<StorageAdapter['claim']>) {
        if (left > 0) throw new Error('canceling statement due to statement timeout');
        return storage.claim(...given);
      },
      fire(...given: Parameters<StorageAdapter['fire']>) {
        if (left > 0) throw new Error('canceling statement due to statement timeout');
        return storage.fire(...given);
      },
    });
  },
};

/** As if each that was missed ran by itself, as far as no run of the job is in its way. */
function apart({ births, gaps }: Firing): Pick<Firing, 'births' | 'gaps'> {
  const missed = gaps.filter(({ verdict, reason }) => verdict === 'missed' && reason === 'misfire');
  const instants = missed.flatMap(({ from, until, count }) =>
    Array.from({ length: count }, (_, i) => from + (count === 1 ? 0 : (i * (until - from)) / (count - 1))),
  );
  const each = instants.map((at) => ({ nominalAt: at, dueAt: at, missed: 0 }));
  return { births: [...each, ...births], gaps: gaps.filter((gap) => !missed.includes(gap)) };
}

/** Faults of open runs. */
export const plantedInOpen: Readonly<Record<string, (storage: StorageAdapter) => StorageAdapter>> = {
  'acknowledges now and then a verdict from outside that it does not write': (storage) => {
    let calls = 0;
    return spoilt(storage, {
      async settleOpen(...[runId, judge]: Parameters<StorageAdapter['settleOpen']>) {
        if (++calls % 3 > 0) return storage.settleOpen(runId, judge);
        const { items } = await storage.queryRuns({ runId, state: 'open' }, {});
        const [run] = items;
        if (run === undefined) return false;
        judge({ ...run, worker: 'outside', policies: {} } as never, await storage.now());
        return true;
      },
    });
  },
  'lets the deadline undo a verdict from outside': (storage) =>
    spoilt(storage, {
      async settleOpen(...[runId, judge]: Parameters<StorageAdapter['settleOpen']>) {
        const { items } = await storage.queryRuns({ runId, state: 'open' }, {});
        const [run] = items;
        // As if the verdict were noted, and the worker that has the run at its deadline not told.
        if (run === undefined || run.worker === null) return storage.settleOpen(runId, judge);
        judge({ ...run, policies: {} } as never, await storage.now());
        return true;
      },
    }),
};

/** Faults of durable steps. */
export const plantedInSteps: Readonly<Record<string, (storage: StorageAdapter) => StorageAdapter>> = {
  'says of a step now and then that it is kept, and does not keep it': (storage) => {
    let calls = 0;
    return spoilt(storage, {
      recordRunStep: (...given: Parameters<StorageAdapter['recordRunStep']>) =>
        ++calls % 5 > 0 ? storage.recordRunStep(...given) : Promise.resolve(true),
    });
  },
  'keeps only the first step of a run': (storage) =>
    spoilt(storage, {
      queryRunSteps: async (runId: string) =>
        (await storage.queryRunSteps(runId)).filter(({ name }) => name === 'first'),
    }),
};

/** Faults of deploys: what was the rule once. */
export const plantedInDeploys: Readonly<Record<string, (storage: StorageAdapter) => StorageAdapter>> = {
  'compares sets of declarations as a whole': (storage) =>
    spoilt(storage, {
      syncDefinitions: (request: SyncRequest) =>
        storage.syncDefinitions({
          ...request,
          plan: (stored, carried, now) => request.plan(stored, newestOnly(carried), now),
        }),
    }),
  'decides what is in force at boots only': (storage) =>
    spoilt(storage, {
      async renew(...given: Parameters<StorageAdapter['renew']>) {
        return { ...(await storage.renew(...given)), outOfSync: false };
      },
    }),
  'compares whole sets, and at boots only': (storage) =>
    plantedInDeploys['compares sets of declarations as a whole']!(
      plantedInDeploys['decides what is in force at boots only']!(storage),
    ),
  'writes what a boot declares before it is refused': (storage) =>
    spoilt(storage, {
      async syncDefinitions({ registration, ...request }: SyncRequest) {
        const answer = await storage.syncDefinitions({ ...request, ...(registration && { registration }) });
        if (answer.status === 'refused') await storage.syncDefinitions(request);
        return answer;
      },
    }),
  'lets a boot work that should be refused': (storage) =>
    spoilt(storage, {
      async syncDefinitions({ registration, ...request }: SyncRequest) {
        const answer = await storage.syncDefinitions(request);
        if (registration) await storage.register(registration.worker, registration.leaseMs);
        return answer;
      },
    }),
};

function newestOnly(carried: readonly CarriedSet[]): CarriedSet[] {
  const live = carried.filter(({ carriedUntil }) => carriedUntil === null);
  const place = Math.max(...live.map((set) => set.place));
  return carried.filter((set) => set.carriedUntil !== null || set.place === place);
}
