import type { Progress } from '../cloud.ts';

/**
 * What ARM does with images of machines. Long calls are started here and polled by `Cloud.poll`. All calls may be
 * repeated.
 * https://learn.microsoft.com/azure/virtual-machines/capture-image-resource
 */
export interface MachineImages {
  /** Takes the cores of a machine away that has shut itself down: before it is generalized. */
  deallocate(vm: string): Promise<Progress>;
  /** Says that a deallocated machine has nothing of its own any more; it can never start again. */
  generalize(vm: string): Promise<Progress>;
  /** Makes an image resource of a generalized machine's disk. */
  capture(request: CaptureRequest): Promise<Progress>;
  /** Removing what is not there is done at once. */
  remove(name: string): Promise<Progress>;
  /** Images of ours, by their tag `berth-image`. */
  tagged(): Promise<readonly TaggedImage[]>;
  /** Resource id of an image of that name. */
  idOf(name: string): string;
}

export interface CaptureRequest {
  readonly name: string;
  readonly vm: string;
  /** Value of the tag `berth-image`. */
  readonly profile: string;
}

export interface TaggedImage {
  readonly name: string;
  /** Resource id, as `idOf` says it. */
  readonly id: string;
  readonly profile: string;
  /** From the tag `berth-created`, RFC 3339. */
  readonly createdAt: string | undefined;
}
