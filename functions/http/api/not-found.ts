import { Terminal } from '../../../shared/model/errors.ts';

/** 404 `<kind>-not-found`. @param remedy what shows the ones that exist */
export const notFound = (kind: string, name: string, remedy: string): Terminal =>
  new Terminal({
    code: `${kind.replaceAll(' ', '-')}-not-found`,
    status: 404,
    message: `There is no ${kind} ${name}.`,
    remedy,
  });
