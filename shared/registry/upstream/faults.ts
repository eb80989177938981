import { Retryable, Terminal } from '../../model/errors.ts';

/** Another registry's answer as an error of ours. `where` names the registry and what was asked of it. */
export const upstreamMissing = (where: string, said: string): Terminal =>
  new Terminal({
    code: 'upstream-not-found',
    status: 404,
    message: `${where} does not exist there${said}.`,
    remedy: 'Check the name and the tag; a private repository that a credential may not see looks the same.',
  });

export const upstreamRefused = (where: string, said: string): Terminal =>
  new Terminal({
    code: 'upstream-unauthorized',
    status: 403,
    message: `${where} was refused${said}.`,
    remedy: 'Check the credential, and that it may do this with the repository.',
  });

export const upstreamLimited = (where: string, afterMs: number, said: string): Retryable =>
  new Retryable({
    code: 'upstream-limited',
    message: `${where}: the registry takes no more requests for ${Math.ceil(afterMs / 1000)} s${said}.`,
    remedy: 'Wait, or give a credential whose limit is higher.',
    afterMs,
  });

export const upstreamDown = (where: string, why: string, cause?: unknown): Retryable =>
  new Retryable({
    code: 'upstream-unreachable',
    message: `${where}: ${why}.`,
    remedy: 'Check the address, and that the registry answers; then try again.',
    cause,
  });

/** Asking again does not change it. */
export const upstreamUntrusted = (where: string, why: string, cause: unknown): Terminal =>
  new Terminal({
    code: 'upstream-untrusted',
    status: 502,
    message: `${where}: ${why}.`,
    remedy:
      'Give the PEM of the authority that signed its certificate to the source or replication: --authority FILE.',
    cause,
  });

/** Whether an error of Node.js means that a certificate is not trusted, or of another host. */
export const isTrust = (error: unknown): boolean =>
  /CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test((error as NodeJS.ErrnoException).code ?? '');

/** The answer is not what the protocol has, or not what it says it is. */
export const upstreamWrong = (where: string, why: string): Terminal =>
  new Terminal({
    code: 'upstream-answer-invalid',
    status: 422,
    message: `${where}: ${why}.`,
    remedy: 'Ask who runs that registry; nothing of the answer was kept.',
  });

/** What cannot be reached, with the reason that Node gives. */
export function whyOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const inner = error instanceof AggregateError ? (error.errors[0] as Error | undefined)?.message : undefined;
  return inner || message || code || String(error);
}
