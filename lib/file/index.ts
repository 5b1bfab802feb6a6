// The door `nestjs-chronis/file`: storage and lock in a file that people can read, without a server.
export { fileStorage, type FileStorageOptions } from './file.recipes.js';
