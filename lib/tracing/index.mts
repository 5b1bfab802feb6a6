// This door for `import`: the same instances as for `require`.
export * from './index.js';
