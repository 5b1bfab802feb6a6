import { Module, type ModuleMetadata, type Type } from '@nestjs/common';

/** A class as a module with these imports. As an object it would be written out with all that it imports, where Nest tells modules apart by their contents. */
export function rootModule(root: Type, imports: NonNullable<ModuleMetadata['imports']>): Type {
  Module({ imports })(root);
  return root;
}
