import { packageVersion } from '../../package.version.js';
import { command, type CliCommand } from '../cli.command.js';

const showVersion = command({
  name: 'version',
  summary: 'of this package, and of what it runs on',
  options: {},
  run: async ({ out }) => {
    const versions = {
      chronis: packageVersion,
      node: process.versions.node,
      zoneData: process.versions.tz ?? null,
    };
    out.print(versions, (paper) =>
      paper.fields({ chronis: versions.chronis, node: versions.node, zoneData: versions.zoneData }),
    );
  },
});

export const versionCommands: CliCommand[] = [showVersion];
