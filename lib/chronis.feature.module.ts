import { Module } from '@nestjs/common';

/** Holds the options of `ChronisModule.forFeature()` for the module that imports it. */
@Module({})
export class ChronisFeatureModule {}
