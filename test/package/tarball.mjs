// What is in the tarball, and what is not.
const most = { packedKb: 2_100, unpackedKb: 7_800 };
const expected = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|UPGRADING\.md)$/,
  /^(alerts|executors|file|health|http|job-files|metrics|schedule|sqlite|testing|tracing|typeorm)\/package\.json$/,
  /^job-files\/schema\.json$/,
  /^schematics\/(collection|nest-add\.schema)\.json$/,
  /^dist\/(package\.json|LICENCES\.md)$/,
  /^docs\/(README|(guides|reference|decisions)\/[\w-]+)\.md$/,
  /^docs\/deploy\//,
  /^dist\/.*\.(js|mjs|d\.ts|d\.mts)$/,
];

/** Throws Error, by what `npm pack --json` says and the manifest. */
export function checkTarball({ size, unpackedSize, files }, manifest) {
  const paths = files.map(({ path }) => path);
  const strange = paths.filter((path) => !expected.some((pattern) => pattern.test(path)));
  const wanted = Object.values(manifest.exports).flatMap((door) =>
    typeof door === 'string' ? [door] : [door.import, door.require].flatMap(Object.values),
  );
  const missing = [...wanted, './dist/LICENCES.md', './README.md', './LICENSE', './typeorm/package.json']
    .map((path) => path.slice(2))
    .filter((path) => !paths.includes(path));
  const problems = [
    ...strange.map((path) => `${path} has no business there`),
    ...missing.map((path) => `${path} is missing`),
    ...(size > most.packedKb * 1000 ? [`it has ${size} bytes`] : []),
    ...(unpackedSize > most.unpackedKb * 1000 ? [`unpacked it has ${unpackedSize} bytes`] : []),
  ];
  if (problems.length > 0) throw new Error(`The tarball: ${problems.join(', ')}.`);
}
