/** The version of this package, as in its package.json: read at run time, that would be missing in a bundle. */
export const packageVersion = '0.1.0';
