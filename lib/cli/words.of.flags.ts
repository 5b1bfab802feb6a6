// The library names options of its own, which nobody at a terminal can give.

const hasExecutor =
  /(Did you mean "[^"]*"\? Else p|P)rovide a class with @TaskExecutor\('([^']*)'\), or pass \{ allowUnknownHandler: true \} if the process that has it starts later; the module takes that option too\./g;
const hasHandler =
  /(?:Did you mean "[^"]*"\? Else d|D)eclare it with @JobHandler\('[^']*'\), register it with registerHandler\(\), or pass \{ allowUnknownHandler: true \} if the process that has it starts later; the module and defineJob\(\) take that option too\./g;
const mayBeUnknown =
  /pass \{ allowUnknownHandler: true \} if the process that has it starts later; the module (?:takes|and defineJob\(\) take) that option too\./g;

/** Options that are said by a flag of another name. */
const flagsOfOptions: Readonly<Record<string, string>> = {
  shutdownTimeoutMs: '--shutdown-timeout',
  'command.allow': '--allow',
  'command.env': '--command-env',
  'http.hosts': '--http-hosts',
  'http.addresses': '--http-addresses',
  'http.env': '--http-env',
  'binary.folder': '--binary-folder',
  'emit.timeout': '--emit-timeout',
  'emit.keyPrefix': '--emit-key-prefix',
  olderThan: '--older-than',
};
const option = new RegExp(
  `^(?:${Object.keys(flagsOfOptions)
    .map((name) => name.replace('.', '\\.'))
    .join('|')}):`,
);
const whenStored = / Declared jobs are stored when the application has started, after onModuleInit\(\)\./;
const tables = /Start once with migrate: 'auto', or apply what migrationSql\(\) returns\./;

/** What makes the ready service take tasks of a type. */
const flagsOfTypes: Readonly<Record<string, string>> = {
  http: 'The service takes them with --http-hosts, which names the hosts that may be called.',
  binary: 'The service takes them with --binary.',
  emit: 'The service takes them with --emit, which names brokers, or with --emit-queues.',
};

/** A message of the library, as it helps who has called a command. */
export function inFlags(text: string): string {
  return text
    .replace(mayBeUnknown, 'give --allow-unknown-handler if the process that has it starts later.')
    .replace(option, (found) => `${flagsOfOptions[found.slice(0, -1)]!}:`)
    .replace(whenStored, '')
    .replace(tables, 'Bring the tables up to date: chronis migrate.');
}

/** The same for who runs the ready service, which has no code of theirs. */
export function inFlagsOfService(text: string): string {
  return text
    .replace(
      hasExecutor,
      (_, __, type: string) => flagsOfTypes[type] ?? 'The service has none: that takes an application.',
    )
    .replace(hasHandler, 'The service has no handlers: give the job a "task".');
}
