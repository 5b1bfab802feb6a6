import { Inject, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { assertRoot } from './chronis.instances.js';

/** Holds the options of `ChronisModule.forFeature()` for the module that imports it. */
@Module({})
export class ChronisFeatureModule {
  constructor(@Inject(ModulesContainer) modules: ModulesContainer) {
    assertRoot(modules, ChronisFeatureModule, 'imports ChronisModule.forFeature()');
  }
}
