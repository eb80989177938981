import { z } from 'zod';

/** Where another registry answers. */
export const RegistryAddress = z
  .strictObject({
    /** Scheme, host and port. */
    url: z
      .string()
      .regex(
        /^https?:\/\/[A-Za-z0-9.\-[\]:]+\/?$/,
        'expected https://<host>[:<port>], without a path; what comes before the names of its repositories is "path"',
      )
      .refine((url) => URL.canParse(url), 'expected an address')
      .transform((url) => (isDockerHub(url) ? HUB_URL : url.replace(/\/$/, ''))),
    /** Speaks http without TLS: nothing that is sent there is secret. */
    plainHttp: z.boolean().default(false),
    /** PEM of an authority that is trusted for it, beside the usual ones. */
    authority: z.string().includes('-----BEGIN CERTIFICATE-----').max(100_000).optional(),
  })
  .refine(({ url, plainHttp }) => url.startsWith('https:') || plainHttp, {
    path: ['url'],
    message: 'http is not encrypted: expected https, or "plainHttp": true where that is meant',
  });
export type RegistryAddress = z.infer<typeof RegistryAddress>;

/** A user's name and password or token. `<token>`, or 32 zeros as Azure's registries have it, as the name: an identity token. */
export const RegistryCredential = z.strictObject({
  username: z.string().min(1).max(500),
  password: z.string().min(1).max(20_000),
});
export type RegistryCredential = z.infer<typeof RegistryCredential>;

/** Docker Hub is called by several names, and answers under one of its own. */
const HUB = 'docker.io';
const HUB_URL = 'https://registry-1.docker.io';
const hubNames = new Set([HUB, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

/** Name of a registry as image references have it. */
export const canonicalHost = (host: string): string =>
  hubNames.has(host.toLowerCase()) ? HUB : host.toLowerCase();

/** `docker.io`, `ghcr.io`, `127.0.0.1:5000`: where the registry that references call so answers. */
export const urlOfHost = (host: string): string =>
  canonicalHost(host) === HUB ? HUB_URL : `https://${canonicalHost(host)}`;

/** What references call the registry that answers there. */
export const hostOfUrl = (url: string): string => canonicalHost(new URL(url).host);

export const isDockerHub = (url: string): boolean => hostOfUrl(url) === HUB;

/** Docker Hub's own images have one word in references, and lie below `library/`. */
export const namedAt = (url: string, repository: string): string =>
  isDockerHub(url) && !repository.includes('/') ? `library/${repository}` : repository;
