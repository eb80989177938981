/** Paths as compose files have them: POSIX. This folder knows no Node.js module. */

export const isAbsolute = (path: string): boolean => path.startsWith('/');

export function joinPath(base: string, path: string): string {
  const full = isAbsolute(path) ? path : `${base}/${path}`;
  const steps: string[] = [];
  for (const step of full.split('/')) {
    if (step === '' || step === '.') continue;
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '..' || !isAbsolute(full)) steps.push(step);
  }
  const joined = steps.join('/');
  if (isAbsolute(full)) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

export function directoryOf(path: string): string {
  const end = path.lastIndexOf('/');
  if (end < 0) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}

export const baseName = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) ?? '';

/** `https://…`, `git@…`, `oci://…`: of another computer. */
export const isRemote = (path: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(path) || /^git@/.test(path) || /^github\.com\//.test(path);
