export function objections(manifest: object, changelog: string): string[];
