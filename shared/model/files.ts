import { z } from 'zod';
import { FileMode, MountTarget } from './container-options.ts';
import { Digest } from './image.ts';
import { orShort } from './short-form.ts';

/** Configs, secrets and volumes: the names of files on machines and of volumes of engines hold them. */
export const ContentName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    'expected 1 to 63 letters, digits, ".", "_" and "-", beginning with a letter or digit',
  );

/** As much as an archive's header holds. */
const id = z.number().int().min(0).max(2_097_151);
const owner = {
  mode: FileMode.optional(),
  /** Of the file in the container; absent: those of a numeric `user`, and otherwise root's. */
  uid: id.optional(),
  gid: id.optional(),
};

/** A config as a file of a container. `nginx.conf` alone means the file /nginx.conf. */
export const ConfigUse = orShort(
  z.strictObject({
    config: ContentName,
    target: MountTarget.optional(),
    ...owner,
    /** Filled in when the application is deployed: what the config's content was then. */
    digest: Digest.optional(),
  }),
  'string',
  (config) => ({ config }),
);
export type ConfigUse = z.infer<typeof ConfigUse>;

/** A secret as a file of a container. `db-password` alone means the file /run/secrets/db-password. */
export const SecretUse = orShort(
  z.strictObject({
    secret: ContentName,
    /** A path, or a name below /run/secrets. */
    target: z
      .union([MountTarget, ContentName], 'expected a path, or the name of a file in /run/secrets')
      .optional(),
    ...owner,
    /** An environment variable that says the file's path: programs know it as `PASSWORD_FILE`. Never the value. */
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
      .optional(),
    /** Filled in when the application is deployed: the name under which it is kept, where the application has its own for it. */
    name: ContentName.optional(),
  }),
  'string',
  (secret) => ({ secret }),
);
export type SecretUse = z.infer<typeof SecretUse>;

/** Bytes of one config. */
export const MOST_CONTENT = 256 * 1024;

/** What a config of an application is: its content, or the digest of one that is there already. */
export const ConfigSpec = z
  .strictObject({
    content: z.string().max(MOST_CONTENT).optional(),
    /** `base64`: the content is that of bytes, which need not be text. */
    encoding: z.enum(['text', 'base64']).optional(),
    /** A path beside the berth.yaml, which the berth command reads. */
    file: z.string().min(1).optional(),
    digest: Digest.optional(),
  })
  .superRefine(({ content, encoding, file, digest }, context) => {
    const given = [content, file, digest].filter((one) => one !== undefined).length;
    if (given !== 1) context.addIssue({ code: 'custom', message: 'expected either content or file' });
    if (encoding === 'base64' && content !== undefined && !isBase64(content))
      context.addIssue({ code: 'custom', path: ['content'], message: 'expected base64' });
  });
export type ConfigSpec = z.infer<typeof ConfigSpec>;

const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

/** A secret of an application: under which name it is kept, where that is another. */
export const SecretSpec = z.preprocess(
  (value) => value ?? {},
  z.strictObject({ name: ContentName.optional() }),
) as unknown as z.ZodType<{ name?: string | undefined }>;

export const SECRETS_FOLDER = '/run/secrets';

/** Where a file lies in the container. */
export const configTarget = ({ config, target }: ConfigUse): string => target ?? `/${config}`;
export const secretTarget = ({ secret, target = secret }: SecretUse): string =>
  target.startsWith('/') ? target : `${SECRETS_FOLDER}/${target}`;

/** What containers are given as files. */
export const fileUses = {
  configs: z.array(ConfigUse).max(100).optional(),
  secrets: z.array(SecretUse).max(100).optional(),
};
