import { startStorage } from '../../infra/local/storage/start-storage.ts';

/** Azurite as a child of a test: sends its endpoints, and ends with its parent whatever becomes of that. */
const [, , directory, certificateFile, keyFile] = process.argv;
if (directory === undefined || certificateFile === undefined || keyFile === undefined)
  throw new Error('usage: storage-process.ts <directory> <certificate file> <key file>');
const endpoints = await startStorage({
  address: '127.0.0.1',
  ports: { blob: 0, queue: 0, table: 0 },
  account: 'berthtest',
  directory,
  certificateFile,
  keyFile,
});
process.on('disconnect', () => process.exit());
process.send?.(endpoints);
