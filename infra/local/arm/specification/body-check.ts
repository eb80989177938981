import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArmError } from '../requests/arm-error.ts';
import type { ArmRequest } from '../requests/arm-request.ts';
import { documents } from './documents.ts';
import { validate } from './validate.ts';

/**
 * Refuses bodies that Azure's published documents refuse. Members that the documents do not name are refused only where
 * the request's api-version is not newer than the document.
 * @param folder with operations.json in it; without it nothing is checked, which is said once
 */
export function bodyCheck(folder: string | undefined): (request: ArmRequest) => void {
  if (folder === undefined || !existsSync(join(folder, 'operations.json'))) {
    console.warn(
      `arm: request bodies are not checked against Azure's API documents: ${folder === undefined ? 'no folder of documents is set' : `${folder} has no operations.json`}.`,
    );
    return () => {};
  }
  const found = documents(folder);
  return (request) => {
    if (request.body === undefined) return;
    const located = found.body(request.method, request.path);
    if (located === undefined) return;
    const strict = request.apiVersion <= located.apiVersion;
    const complaint = validate(found, located, request.body, strict);
    if (complaint !== undefined)
      throw new ArmError(
        400,
        'InvalidRequestContent',
        `The request content was invalid and could not be deserialized: '${complaint.message}. Path '${complaint.at}'.'`,
      );
  };
}
