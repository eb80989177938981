import { z } from 'zod';
import { invalidParameter } from '../requests/arm-error.ts';
import { parseBody, Tags } from '../requests/bodies.ts';
import type { Json } from '../resources/resource.ts';
import type { Place, ScriptRequest } from './guest.ts';

const Identity = z.looseObject({ clientId: z.string().optional(), objectId: z.string().optional() });
const Parameter = z.looseObject({ name: z.string(), value: z.string() });

/** https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/create-or-update */
const Body = z.looseObject({
  location: z.string({ error: "the required property 'location' was not found" }).min(1),
  tags: Tags,
  properties: z
    .looseObject({
      source: z
        .looseObject({
          script: z.string().optional(),
          scriptUri: z.string().optional(),
          commandId: z.string().optional(),
          scriptUriManagedIdentity: Identity.optional(),
        })
        .optional(),
      parameters: z.array(Parameter).default([]),
      protectedParameters: z.array(Parameter).default([]),
      asyncExecution: z.boolean().default(false),
      treatFailureAsDeploymentFailure: z.boolean().default(false),
      runAsUser: z.string().min(1).optional(),
      runAsPassword: z.string().optional(),
      timeoutInSeconds: z.number().int().min(0).optional(),
      outputBlobUri: z.string().optional(),
      errorBlobUri: z.string().optional(),
      outputBlobManagedIdentity: Identity.optional(),
      errorBlobManagedIdentity: Identity.optional(),
    })
    .prefault({}),
});
export type ManagedBody = z.infer<typeof Body>;

const LOG = '/var/log/azure/run-command-handler/handler.log';
/** What Azure allows where none is given, seconds. */
const USUAL_TIMEOUT = 90 * 60;

export const managedBody = (body: unknown): ManagedBody => parseBody(Body, body);

/** What the machine is asked for. @throws ArmError 400 */
export function scriptRequest({ properties }: ManagedBody): ScriptRequest {
  const { source = {}, timeoutInSeconds } = properties;
  const parameters = [...properties.parameters, ...properties.protectedParameters];
  const given = [source.script, source.scriptUri, source.commandId].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw invalidParameter('source', "Exactly one of 'script', 'scriptUri' and 'commandId' is needed.");
  const common = {
    log: LOG,
    timeout: timeoutInSeconds === undefined || timeoutInSeconds === 0 ? USUAL_TIMEOUT : timeoutInSeconds,
    arguments: parameters.filter(({ name }) => name === '').map(({ value }) => value),
    environment: Object.fromEntries(
      parameters
        .filter(({ name, value }) => name !== '' && value !== '')
        .map(({ name, value }) => [name, value]),
    ),
    ...(properties.runAsUser === undefined ? {} : { user: properties.runAsUser }),
    ...blob('stdoutBlob', properties.outputBlobUri, properties.outputBlobManagedIdentity),
    ...blob('stderrBlob', properties.errorBlobUri, properties.errorBlobManagedIdentity),
  };
  if (source.script !== undefined)
    return { ...common, script: Buffer.from(source.script).toString('base64') };
  if (source.scriptUri !== undefined)
    return {
      ...common,
      scriptUri: source.scriptUri,
      ...(source.scriptUriManagedIdentity === undefined
        ? {}
        : { scriptIdentity: identityOf(source.scriptUriManagedIdentity) }),
    };
  throw invalidParameter(
    'source.commandId',
    `The local data centre has no built-in script '${source.commandId}': send it as 'script'.`,
  );
}

const blob = (
  name: 'stdoutBlob' | 'stderrBlob',
  uri: string | undefined,
  identity: z.infer<typeof Identity> | undefined,
): { [key in typeof name]?: Place } =>
  uri === undefined || uri === ''
    ? {}
    : { [name]: { uri, ...(identity === undefined ? {} : { identity: identityOf(identity) }) } };

const identityOf = ({ clientId, objectId }: z.infer<typeof Identity>): Record<string, string> => ({
  ...(clientId === undefined ? {} : { clientId }),
  ...(objectId === undefined ? {} : { objectId }),
});

/** What GET shows: nothing protected, and addresses without their signatures. */
export function shownProperties({ properties }: ManagedBody): Json {
  const { protectedParameters: _, runAsPassword: __, ...shown } = properties;
  const source =
    shown.source === undefined ? {} : { ...shown.source, ...unsigned('scriptUri', shown.source) };
  return { ...shown, source, ...unsigned('outputBlobUri', shown), ...unsigned('errorBlobUri', shown) };
}

const unsigned = (name: string, from: Json): Json =>
  typeof from[name] === 'string' ? { [name]: from[name].split('?')[0] } : {};
