import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type CustomScript, customScript } from '../../../../shared/model/custom-script.ts';
import { ArmError } from '../requests/arm-error.ts';
import { parseBody, Tags } from '../requests/bodies.ts';
import type { Json } from '../resources/resource.ts';
import type { Place, ScriptRequest } from './guest.ts';

/** https://learn.microsoft.com/rest/api/compute/virtual-machine-extensions/create-or-update */
const Body = z.looseObject({
  location: z.string({ error: "the required property 'location' was not found" }).min(1),
  tags: Tags,
  properties: z.looseObject({
    publisher: z.string().min(1),
    type: z.string().min(1),
    typeHandlerVersion: z.string().regex(/^\d+(\.\d+)*$/, 'expected a version, for example 2.1'),
    autoUpgradeMinorVersion: z.boolean().optional(),
    forceUpdateTag: z.string().optional(),
    settings: z.unknown().optional(),
    protectedSettings: z.unknown().optional(),
  }),
});
export type ExtensionBody = z.infer<typeof Body>;

/** Seconds after which Azure ends it. */
const TIMEOUT = 90 * 60;
export const HANDLER = 'Microsoft.Azure.Extensions.CustomScript';

/** @throws ArmError: not CustomScript of Linux, which is all that is served */
export function extensionBody(given: unknown): ExtensionBody {
  const body = parseBody(Body, given);
  const { publisher, type, typeHandlerVersion } = body.properties;
  if (`${publisher}.${type}`.toLowerCase() !== HANDLER.toLowerCase())
    throw new ArmError(
      404,
      'ArtifactNotFound',
      `The VM extension with publisher '${publisher}' and type '${type}' could not be found in location '${body.location}': the local data centre has ${HANDLER}, since its machines are Linux.`,
    );
  if (!/^2\.[01](\.|$)/.test(typeHandlerVersion))
    throw new ArmError(
      404,
      'ArtifactVersionNotFound',
      `The version '${typeHandlerVersion}' of ${HANDLER} could not be found: expected 2.0 or 2.1.`,
    );
  return body;
}

/** What the handler would run, or why it would refuse its settings. */
export const settingsOf = ({ properties }: ExtensionBody) =>
  customScript(properties.settings, properties.protectedSettings, 'linux');

export function extensionRequest(script: CustomScript, sequence: number, gateway: string): ScriptRequest {
  const files = script.fileUris.map((uri): Place => ({ uri, ...identityFor(uri, script, gateway) }));
  const common = {
    log: '/var/log/azure/custom-script/handler.log',
    statusFile: `/var/lib/waagent/${HANDLER}-2.1.10/status/${sequence}.status`,
    timeout: TIMEOUT,
    files,
    dos2unix: !script.skipDos2Unix,
  };
  return script.script === undefined
    ? { ...common, command: script.commandToExecute ?? '' }
    : { ...common, script: script.script };
}

/** The identity is shown to storage alone: Azure's, or what this data centre has in its place. */
function identityFor(
  uri: string,
  { storageAccount, managedIdentity }: CustomScript,
  gateway: string,
): Pick<Place, 'identity'> {
  const { hostname, protocol, searchParams } = new URL(uri);
  const isStorage =
    /\.blob\.(core\.windows\.net|storage\.azure\.net)$/.test(hostname) || hostname === gateway;
  if (protocol !== 'https:' || !isStorage || searchParams.has('sig')) return {};
  if (storageAccount !== undefined)
    return { identity: { account: storageAccount.name, accountKey: storageAccount.key } };
  return managedIdentity === undefined ? {} : { identity: { ...managedIdentity } };
}

export const shownExtension = ({ properties }: ExtensionBody): Json => {
  const { protectedSettings: _, ...shown } = properties;
  return shown;
};

/** The same settings again run nothing. */
export const settingsDigest = ({ properties }: ExtensionBody): string =>
  createHash('sha256')
    .update(JSON.stringify([properties.settings, properties.protectedSettings, properties.forceUpdateTag]))
    .digest('hex');
