import { connect } from './connect.js';
import { installedVersion } from './migrations.js';
import { schemaVersion } from './migration.steps.js';
import { serverOf } from './typeorm.recipes.js';
import { adapterSettings, type TypeOrmAdapterOptions, type TypeOrmServer } from './typeorm.options.js';

/** Of the tables in a database. @publicApi */
export interface SchemaState {
  /** 0: there are none. */
  version: number;
  /** The oldest release that can work with them, by its `schemaVersion`. 0: there are none. */
  compatibleWith: number;
  /** What this release brings them to: `schemaVersion`. */
  target: number;
}

/** Which version the tables have, without changing anything, for tools that migrate. Throws StorageError, InvalidOptionError. @publicApi */
export async function schemaState(options: TypeOrmAdapterOptions & TypeOrmServer): Promise<SchemaState> {
  const settings = adapterSettings(options, false);
  const database = await connect(serverOf(options, undefined), settings);
  try {
    const { version, compatibleWith } = await installedVersion(settings.tables, (text) =>
      database.plain(text),
    );
    return { version, compatibleWith, target: schemaVersion };
  } finally {
    await database.close();
  }
}
