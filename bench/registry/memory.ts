import { readFile, writeFile } from 'node:fs/promises';

/** Begins to measure a process's highest memory anew. https://docs.kernel.org/filesystems/proc.html (clear_refs) */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** The most memory that a process had in use, resident, since then: bytes. */
export async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
