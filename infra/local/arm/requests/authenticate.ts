import type { IncomingMessage } from 'node:http';
import { ArmError } from './arm-error.ts';

export const ARM_AUDIENCE = 'https://management.azure.com/';

/** Rejects a token that is not valid for the audience: signature, issuer, times, audience. */
export type Verify = (token: string, audience: string) => Promise<unknown>;

/** @throws ArmError 401 with Azure's codes where the request carries no valid bearer token */
export async function authenticate(
  message: IncomingMessage,
  options: { readonly verify: Verify; readonly tenant: string },
): Promise<void> {
  const challenge = {
    'WWW-Authenticate': `Bearer authorization_uri="https://login.windows.net/${options.tenant}", error="invalid_token", error_description="The access token is missing or invalid."`,
  };
  const token = /^Bearer (.+)$/i.exec(message.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new ArmError(
      401,
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing or invalid.",
      challenge,
    );
  try {
    await options.verify(token, ARM_AUDIENCE);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ArmError(
      401,
      'InvalidAuthenticationToken',
      `The access token is invalid: ${reason}`,
      challenge,
    );
  }
}
