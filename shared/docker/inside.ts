/** What Berth does inside of containers of its own, and with images that it makes on a machine. */
export interface Inside {
  /** Unpacks a tar archive into a folder of a container. */
  put(container: string, folder: string, archive: Uint8Array): Promise<void>;
  /** Runs a command in a container that runs. `timeout`: milliseconds until it must have ended. */
  run(
    container: string,
    command: readonly string[],
    timeout: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** What lies under a folder of a container, as a tar archive. */
  take(container: string, folder: string): Promise<Uint8Array>;
  /** Makes an image of a file system. `changes`: lines of a Dockerfile, such as `ENTRYPOINT ["/start"]`. */
  importImage(
    archive: Uint8Array,
    name: { repository: string; tag: string },
    changes: readonly string[],
  ): Promise<void>;
  /** Pushes an image to its registry. @returns its digest @throws Terminal `push-refused` */
  pushImage(name: { repository: string; tag: string }, token: string): Promise<string>;
  /** Removing what is not there is no error. */
  removeContainer(container: string): Promise<void>;
  removeImage(image: string): Promise<void>;
  /** Creates and starts a container from a body of the Engine API, in place of one of the same name. */
  createRaw(name: string, body: unknown): Promise<string>;
}

export type InsideOf = (machine: { readonly name: string; readonly address: string }) => Promise<Inside>;
