import manifest from '../../package.json' with { type: 'json' };

/** Of Berth; server and command line are released together. */
export const version: string = manifest.version;
