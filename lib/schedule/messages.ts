// Word for word what the original throws: applications compare these texts.

export function notFound(kind: string, name: string): string {
  return `No ${kind} was found with the given name (${name}). Check that you created one with a decorator or with the create API.`;
}

export function duplicate(kind: string, name: string): string {
  return `${kind} with the given name (${name}) already exists. Ignored.`;
}
