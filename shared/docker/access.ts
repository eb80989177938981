/**
 * What a person does with a container that runs: commands in it, its files, what it uses. Apart from `engine.ts`, which is
 * what Berth itself asks of an engine. https://docs.docker.com/reference/api/engine/
 */
export interface ExecRequest {
  readonly command: readonly string[];
  /** A terminal: one stream, and what is typed is interpreted there. */
  readonly tty: boolean;
  /** Whether it is given an input; otherwise it finds an empty one. */
  readonly stdin: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Name or number; that of the container if left out. */
  readonly user?: string | undefined;
  readonly workingDirectory?: string | undefined;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Both directions of something that runs elsewhere. */
export interface Channel {
  /** Resolves when it may be given more. What comes after the end of the other side goes nowhere. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing more will be written. */
  end(): void;
  /** Ends with the other side. */
  readonly output: AsyncIterable<Piece>;
  /** Once the output has ended: the exit code, if there is one. */
  exit(): Promise<number | undefined>;
  resize(size: TerminalSize): Promise<void>;
  close(): void;
}

export interface FileStat {
  readonly name: string;
  readonly size: number;
  readonly isFolder: boolean;
  /** What a symbolic link leads to; empty otherwise. */
  readonly linkTarget: string;
}

/** Counters since the container began. */
export interface ContainerUsage {
  /** RFC 3339. */
  readonly time: string;
  /** Seconds of one core. */
  readonly cpu: number;
  /** Bytes, caches not counted; and what it may have, 0 without a limit. */
  readonly memory: number;
  readonly memoryLimit: number;
  /** Bytes. */
  readonly received: number;
  readonly sent: number;
}

/** Failures are `Terminal` (container-not-found, container-not-running, path-not-found, …) or `Retryable`. */
export interface ContainerAccess {
  exec(container: string, request: ExecRequest, size?: TerminalSize): Promise<Channel>;
  /** @throws Terminal `path-not-found` */
  stat(container: string, path: string): Promise<FileStat>;
  /** A tar archive of a file or folder, whose entries begin with its name. Read it to its end or destroy it. */
  getArchive(container: string, path: string): Promise<AsyncIterable<Uint8Array>>;
  /** Unpacks a tar archive into a folder that is there. */
  putArchive(container: string, folder: string, archive: AsyncIterable<Uint8Array>): Promise<void>;
  /** Undefined for one that does not run. */
  usage(container: string): Promise<ContainerUsage | undefined>;
}

export type AccessOf = (machine: {
  readonly name: string;
  readonly address: string;
}) => Promise<ContainerAccess>;
