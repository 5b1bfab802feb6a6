// Classes are held weakly: tests, and factories of classes, make many.
let decorated: WeakRef<object>[] = [];
const methods = new WeakMap<object, Set<string>>();
const referred = new WeakSet<object>();
const provided = new WeakSet<object>();

/**
 * For decorators that have a method run: a class that has such methods and that no module provides is told at boot, see `classes.unprovided`. Those of this package have called it. @publicApi
 */
export function noteDecorated(prototype: object, method: string): void {
  const known = methods.get(prototype);
  if (known) return void known.add(method);
  methods.set(prototype, new Set([method]));
  decorated.push(new WeakRef(prototype));
}

/** The class is used as the name of what another process runs. */
export function noteReferred(prototype: object): void {
  referred.add(prototype);
}

/** An application of this process has it, or a class that extends it. */
export function noteProvided(prototype: object): void {
  for (let each: object | null = prototype; each !== null && each !== Object.prototype;) {
    provided.add(each);
    each = Object.getPrototypeOf(each) as object | null;
  }
}

/** Prototypes of decorated classes that are not provided by any application of this process, nor referred to, with the methods. */
export function unprovidedClasses(): { prototype: object; methods: string[] }[] {
  decorated = decorated.filter((each) => each.deref() !== undefined);
  return decorated
    .map((each) => each.deref()!)
    .filter((prototype) => !provided.has(prototype) && !referred.has(prototype))
    .map((prototype) => ({ prototype, methods: [...methods.get(prototype)!] }));
}
