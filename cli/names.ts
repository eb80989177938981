import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

export interface PartName {
  readonly application: string;
  readonly part: string;
}

/**
 * `application/part`, or the part alone where only one application of the environment has one of that name.
 * @param known what there is
 * @param kind `service` or `job`, for messages
 * @throws Failure `<kind>-not-found`, `<kind>-ambiguous`
 */
export function findPart(text: string, known: readonly PartName[], kind: 'service' | 'job'): PartName {
  const [application, part, ...rest] = text.includes('/') ? text.split('/') : [undefined, text];
  const found = known.filter(
    (name) => name.part === part && (application === undefined || name.application === application),
  );
  const [first, second] = found;
  if (first !== undefined && second === undefined && rest.length === 0) return first;
  const names = (second === undefined ? known : found).map((name) => `${name.application}/${name.part}`);
  throw new Failure(
    second === undefined
      ? {
          code: `${kind}-not-found`,
          message: `There is no ${kind} ${text}.`,
          remedy: names.length === 0 ? `No ${kind} is deployed here.` : `There are: ${names.join(', ')}`,
          exitCode: exitCodes.notFound,
        }
      : {
          code: `${kind}-ambiguous`,
          message: `Several applications have a ${kind} ${text}.`,
          remedy: `Say which: ${names.join(', ')}`,
          exitCode: exitCodes.usage,
        },
  );
}
