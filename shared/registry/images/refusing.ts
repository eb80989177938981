import { RegistryError } from '../errors.ts';
import { refusalOf } from './refusal.ts';

/** What the registry refuses becomes a problem of the API. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RegistryError ? refusalOf(error) : error;
  }
}
