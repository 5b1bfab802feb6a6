// node types.check.cjs TYPESCRIPT FOLDER…: what a compiler says of each project, in its own files and in those of nestjs-chronis, as JSON.
const { join } = require('node:path');

const [installed, ...folders] = process.argv.slice(2);
const ts = require(installed);

function check(folder) {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const program = ts.createProgram(fileNames, options);
  const files = program
    .getSourceFiles()
    .filter(({ fileName }) => !/node_modules\/(?!nestjs-chronis\/)/.test(fileName))
    .filter(({ isDeclarationFile }) => !(isDeclarationFile && options.skipLibCheck));
  return [
    ...errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map(said);
}

function said({ file, start, code, messageText }) {
  const place = file ? `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : '';
  return `${place}TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}

console.log(JSON.stringify(folders.map(check)));
