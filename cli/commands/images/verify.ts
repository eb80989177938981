import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type ImageVerification, verifyImage } from '../../../shared/api/routes/image-trust.ts';
import { exitCodes } from '../../exit-codes.ts';
import { Failure } from '../../failure.ts';
import { imageNamed, referenceOf } from '../../image-name.ts';
import { harmless, type Paint, table } from '../../output.ts';
import { withSession } from '../../session.ts';

interface Options {
  readonly key?: string;
  readonly transparencyLog?: true;
  readonly identity?: string;
  readonly identityPattern?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly attestation?: readonly string[];
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export function addVerify(images: Command): void {
  images
    .command('verify')
    .description('whether an image would be deployed: what refers to it, what of that counts, and why not')
    .argument('<image>', 'repository:tag or repository@digest')
    .option('--key <file>', 'ask for a signature by this public key, instead of what the policies demand')
    .option('--transparency-log', 'with --key: only with an entry in a transparency log')
    .option('--identity <name>', 'ask for a keyless signature by this email address or URI; needs --issuer')
    .option('--identity-pattern <pattern>', 'the same for all that it matches: * within a part, ** across')
    .option('--issuer <url>', 'who knows the identity, for example https://accounts.google.com')
    .option('--trusted-root <file>', "trusted_root.json of a Sigstore instance other than the public one's")
    .option(
      '--attestation <type>',
      'ask for one too: sbom, provenance or a predicate type; repeat for more',
      collect,
    )
    .action((text: string, options: Options, command: Command) =>
      withSession(command, async (session) => {
        const { client, output, environment } = session;
        const image = imageNamed(session, text);
        const rules = rulesOf(options);
        const found = await client.call(verifyImage, {
          json: {
            repository: image.repository,
            reference: referenceOf(image),
            environment,
            ...(rules === undefined ? {} : { rules }),
          },
        });
        output.data(found, () => textOf(found, environment, output.paint));
        if (found.verdict === 'refused')
          throw new Failure({
            code: 'image-refused',
            message: found.reasons.map((reason) => harmless(reason)).join('\n'),
            remedy: remedyFor(found, client.connection.url.host),
            exitCode: exitCodes.failed,
          });
      }),
    );
}

/** Signatures come first: who signs may also attest. */
function remedyFor({ reasons, repository, digest }: ImageVerification, host: string): string {
  const image = `${host}/${repository}@${digest}`;
  return reasons.some((reason) => reason.startsWith('It needs a signature'))
    ? `Sign it: cosign sign ${image}`
    : `Attest it: cosign attest --type TYPE --predicate FILE ${image}`;
}

/** The one rule that options spell out; undefined without any, where policies are asked. */
function rulesOf(options: Options): unknown[] | undefined {
  const { key, transparencyLog, identity, identityPattern, issuer, trustedRoot, attestation } = options;
  const root = trustedRoot === undefined ? {} : { trustedRoot: parseJson(trustedRoot) };
  const signers = [
    ...(key === undefined
      ? []
      : [{ publicKey: readPublicKey(key), transparencyLog: transparencyLog ?? false, ...root }]),
    ...(identity === undefined && identityPattern === undefined && issuer === undefined
      ? []
      : [
          {
            ...(identity === undefined ? {} : { identity }),
            ...(identityPattern === undefined ? {} : { identityPattern }),
            issuer,
            ...root,
          },
        ]),
  ];
  if (signers.length > 0) return [{ signedBy: signers, attestations: attestation ?? [] }];
  if (attestation === undefined && trustedRoot === undefined && transparencyLog === undefined)
    return undefined;
  throw usage('Whose signature counts is not said.', 'Say it with --key, or with --identity and --issuer.');
}

/** Checked here, so that a private key that was mistaken for it goes nowhere. */
function readPublicKey(file: string): string {
  const text = read(file);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return text;
  throw usage(
    `${file} is a private key, and was not sent.`,
    'Name the public one: cosign.pub, or the output of openssl pkey -pubout.',
  );
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw usage(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Name a file that exists, or - for standard input.',
    );
  }
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(read(file));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw usage(`${file} is no JSON.`, 'Name the trusted_root.json of a Sigstore instance.');
  }
}

const usage = (message: string, remedy: string): Failure =>
  new Failure({ code: 'usage', message, remedy, exitCode: exitCodes.usage });

function textOf(found: ImageVerification, environment: string, paint: Paint): string {
  const { repository, digest, rules, verdict, findings, unread } = found;
  const state =
    rules === 0
      ? `accepted: nothing is demanded of it in environment ${environment}`
      : `${verdict}${verdict === 'accepted' ? `: ${rules === 1 ? 'the rule is' : `all ${rules} rules are`} fulfilled` : ''}`;
  const rows = findings.flatMap(({ form, manifest, tag, kind, predicateType, fault, by }) => {
    const what = [
      tag === undefined ? form : `${form} (tag)`,
      manifest.slice(0, 19),
      harmless(predicateType ?? kind ?? '-'),
    ];
    if (by.length === 0)
      return [[...what, '-', fault === undefined ? '-' : paint('red', `no: ${harmless(fault)}`)]];
    return by.map(({ signer, why }) => [
      ...what,
      harmless(signer),
      why === undefined ? paint('green', 'yes') : paint('red', `no: ${harmless(why)}`),
    ]);
  });
  return [
    `${repository}@${digest}`,
    paint(verdict === 'accepted' ? 'green' : 'red', state),
    '',
    table(
      ['FOUND', 'MANIFEST', 'SAYS', 'SIGNER', 'COUNTS'],
      rows,
      'No signature and no attestation refers to it.',
    ),
    ...unread,
  ].join('\n');
}
