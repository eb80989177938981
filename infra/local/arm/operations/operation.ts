import type { Json } from '../resources/resource.ts';

/** A long-running operation as its poll shows it, and what is needed to go on with it after a crash. */
export interface Operation {
  readonly id: string;
  /** vm.create, nic.delete, …: chooses the steps. */
  readonly kind: string;
  /** Id of the resource: operations on one resource run one after another. */
  readonly resource: string;
  readonly input: Json;
  readonly status: 'InProgress' | 'Succeeded' | 'Failed' | 'Canceled';
  readonly failure: Failure | undefined;
  readonly result: unknown;
  readonly started: string;
  readonly ended: string | undefined;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What an operation does. Runs again from its beginning after a crash, so every step is idempotent. */
export interface Steps {
  /** @returns what the Location answers at the end, if anything. @throws ArmError: the operation ends Failed with its code */
  run(operation: Operation): Promise<unknown>;
  /** Records on the resource that the operation failed. */
  failed?(operation: Operation, failure: Failure): void;
}
