import type { Content } from './content.ts';

/** Something that takes bytes and gives them back. */
export interface Contestant {
  readonly name: string;
  /** Its process, whose memory is read; absent where there is none of its own. */
  readonly pid?: number;
  /** It takes part in this alone; absent: in all. */
  readonly only?: 'push';
  /** Before a round, outside of what is measured. */
  prepare(): Promise<void>;
  push(content: Content): Promise<void>;
  pull(content: Content): Promise<void>;
  /** Writes a small manifest under a tag. */
  putManifest(tag: string, manifest: Buffer): Promise<void>;
  getManifest(tag: string): Promise<void>;
  stop(): Promise<void>;
}
