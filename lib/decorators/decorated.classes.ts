// Classes are held weakly: tests, and factories of classes, make many.
let decorated: WeakRef<object>[] = [];
const noted = new WeakSet<object>();
const referred = new WeakSet<object>();
const provided = new WeakSet<object>();

/** A method of the class has a decorator of this package. */
export function noteDecorated(prototype: object): void {
  if (noted.has(prototype)) return;
  noted.add(prototype);
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

/** Prototypes of decorated classes that are not provided by any application of this process, nor referred to. */
export function unprovidedClasses(): object[] {
  decorated = decorated.filter((each) => each.deref() !== undefined);
  return decorated
    .map((each) => each.deref()!)
    .filter((prototype) => !provided.has(prototype) && !referred.has(prototype));
}
