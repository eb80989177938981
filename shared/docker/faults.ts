import { Retryable, Terminal } from '../model/errors.ts';

/** The engine, its registry or its machine said no: each with the code that workloads and users see. */
export const faults = {
  imageNotFound: (image: string, detail: string) =>
    new Terminal({
      code: 'image-not-found',
      status: 404,
      message: `The registry has no ${image}: ${detail}`,
      remedy: 'Push the image, or correct its name and digest in the specification.',
    }),
  registryRefused: (image: string, detail: string) =>
    new Terminal({
      code: 'registry-refused',
      status: 403,
      message: `The registry refused ${image}: ${detail}`,
      remedy: 'Check that the repository exists and that Berth may pull from it.',
    }),
  registryUnreachable: (image: string, detail: string) =>
    new Retryable({
      code: 'registry-unreachable',
      message: `The machine cannot pull ${image}: ${detail}`,
      remedy: 'Check that the machine reaches the registry; the pull is tried again.',
    }),
  imageUnusable: (image: string, detail: string) =>
    new Terminal({
      code: 'image-unusable',
      message: `The machine cannot use ${image}: ${detail}`,
      remedy: 'Push an image for the platform of the machines, linux/amd64 or as the pool says.',
    }),
  volumeInUse: (name: string, detail: string) =>
    new Terminal({
      code: 'volume-in-use',
      status: 409,
      message: `A container has the volume ${name}: ${detail}`,
      remedy: 'Stop what uses it first: deploy the service without it, or with no replicas.',
    }),
  portTaken: (detail: string) =>
    new Terminal({
      code: 'port-taken',
      status: 409,
      message: `A port of the machine is in use: ${detail}`,
      remedy: 'Another port is chosen with the next placement; remove what uses the port outside of Berth.',
    }),
  commandNotFound: (detail: string) =>
    new Terminal({
      code: 'command-not-runnable',
      message: `The container's command cannot run: ${detail}`,
      remedy: 'Correct `command` in the specification, or the ENTRYPOINT and CMD of the image.',
    }),
  containerNotFound: (id: string) =>
    new Terminal({
      code: 'container-not-found',
      status: 404,
      message: `The engine has no container ${id}.`,
      remedy: 'Create it again.',
    }),
  networkNotFound: (detail: string) =>
    new Terminal({
      code: 'network-not-found',
      status: 404,
      message: `The engine does not have the container's network: ${detail}`,
      remedy: 'Make the network, then start the container.',
    }),
  notRunning: (detail: string) =>
    new Terminal({
      code: 'container-not-running',
      status: 409,
      message: `The container does not run: ${detail}`,
      remedy: 'See why: berth ps, berth logs; a replica that ended is replaced.',
    }),
  nameConflict: (name: string) =>
    new Terminal({
      code: 'name-conflict',
      status: 409,
      message: `The engine has another container called ${name}.`,
      remedy: 'Remove that container; names of Berth belong to one revision each.',
    }),
  refused: (what: string, status: number, detail: string) =>
    new Terminal({
      code: 'engine-refused',
      message: `The engine refused ${what} with ${status}: ${detail}`,
      remedy: 'Correct what the engine names.',
    }),
  failed: (what: string, status: number, detail: string) =>
    new Retryable({
      code: 'engine-failed',
      message: `The engine failed to ${what} with ${status}: ${detail}`,
      remedy: 'It is tried again; look at the log of the machine’s Docker service if it stays.',
    }),
  unreachable: (engine: string, cause: unknown) =>
    new Retryable({
      code: 'engine-unreachable',
      message: `The engine of ${engine} does not answer: ${textOf(cause)}`,
      remedy: 'It is tried again; a machine that stays silent is replaced.',
      cause,
    }),
  /** Retryable: an engine that has just registered may still load its new certificate. */
  tlsRefused: (engine: string, cause: unknown) =>
    new Retryable({
      code: 'engine-tls-refused',
      message: `The engine of ${engine} and the app do not trust each other: ${textOf(cause)}`,
      remedy: 'Replace the machine if its certificate is not of this app’s engine CA.',
      cause,
    }),
  tooOld: (engine: string, api: string, oldest: string) =>
    new Terminal({
      code: 'engine-too-old',
      message: `The engine of ${engine} speaks API ${api}; Berth needs ${oldest} or newer.`,
      remedy: 'Install a newer Docker engine in the image of the pool.',
    }),
};

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
