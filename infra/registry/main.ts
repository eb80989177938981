import { registryHandler } from '../../shared/registry/registry.ts';
import { registryParts } from './parts.ts';
import { serve } from './serve.ts';
import { readSettings } from './settings.ts';

/** Token keys are looked after so often, milliseconds. */
const CARE = 24 * 3600 * 1000;

const report = (error: unknown): void => console.error('registry:', error);
const failed = (error: unknown): never => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
};

/** `npm run registry`: settings come from the environment (docs/registry.md). Ends at SIGTERM and SIGINT. */
try {
  const settings = readSettings(process.env);
  const { deps, tokenKeys } = registryParts(settings, report);
  // Shows also, before anything is served, that storage can be reached and that the master key opens what is sealed.
  await tokenKeys.care();
  setInterval(() => void tokenKeys.care().catch(report), CARE).unref();
  const server = await serve(registryHandler(deps), settings);
  const { tls, origin, address } = settings;
  const host = address.includes(':') ? `[${address}]` : address;
  console.log(`registry on ${origin ?? `${tls === undefined ? 'http' : 'https'}://${host}:${server.port}`}`);
  const stop = (): void => {
    server.close().then(() => process.exit(0), failed);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  failed(error);
}
