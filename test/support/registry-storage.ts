import { azureBlobs } from '../../shared/state/blobs.azure.ts';
import { memoryBlobs } from '../../shared/state/blobs.memory.ts';
import type { Blobs } from '../../shared/state/blobs.ts';
import { azureTables } from '../../shared/state/tables.azure.ts';
import { memoryTables } from '../../shared/state/tables.memory.ts';
import type { Tables } from '../../shared/state/tables.ts';
import { startTestStorage } from './storage.ts';

export interface RegistryStorage {
  readonly blobs: Blobs;
  readonly tables: Tables;
  stop(): Promise<void>;
}

/** Where a registry of a test keeps its content. */
export const registryStorages: Record<'memory' | 'azurite', () => Promise<RegistryStorage>> = {
  memory: async () => ({ blobs: memoryBlobs(), tables: memoryTables(), stop: async () => {} }),
  async azurite() {
    const storage = await startTestStorage();
    return {
      blobs: azureBlobs(storage.blobUri, 'registry', storage.credential),
      tables: azureTables(storage.tableUri, storage.credential),
      stop: storage.stop,
    };
  },
};
