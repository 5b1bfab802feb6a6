import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { ChronisModule, SchedulerService } from '../index.js';

type Import = NonNullable<ModuleMetadata['imports']>[number];

/** Whether one of the modules, or one that they import, is ChronisModule, or has a scheduler as that of `nestjs-chronis/schedule` has. */
export async function importsChronis(
  imports: readonly Import[],
  seen = new Set<unknown>(),
): Promise<boolean> {
  for (const given of imports) {
    const found = await given;
    if (found === undefined || seen.has(found)) continue;
    seen.add(found);
    const { module, imports: own = [], exports = [] } = partsOf(found);
    // As it is, without forRoot(), it has no scheduler.
    if ((module === ChronisModule && found !== module) || exports.includes(SchedulerService)) return true;
    const declared = (Reflect.getMetadata('imports', module) ?? []) as Import[];
    if (await importsChronis([...declared, ...own], seen)) return true;
  }
  return false;
}

function partsOf(found: Awaited<Import>): Pick<DynamicModule, 'imports' | 'exports'> & { module: object } {
  if ('forwardRef' in found) return { module: found.forwardRef() as object };
  return 'module' in found ? (found as DynamicModule) : { module: found };
}
