import { z } from 'zod';

/** Bytes of a script, decoded: the limit of the Linux handler. */
export const SCRIPT_LIMIT = 256 * 1024;

const Identity = z.strictObject({
  clientId: z.string().min(1).optional(),
  objectId: z.string().min(1).optional(),
});

const either = {
  commandToExecute: z.string().min(1).optional(),
  script: z.string().min(1).optional(),
  fileUris: z.array(z.url({ protocol: /^https?$/, error: 'expected an http or https address' })).optional(),
};

/** `settings` of the CustomScript extensions: https://learn.microsoft.com/azure/virtual-machines/extensions/custom-script-linux */
export const CustomScriptSettings = z.strictObject({
  ...either,
  skipDos2Unix: z.boolean().optional(),
  /** Another number runs the same again. */
  timestamp: z.number().int().optional(),
});
export type CustomScriptSettings = z.infer<typeof CustomScriptSettings>;

export const CustomScriptProtectedSettings = z.strictObject({
  ...either,
  storageAccountName: z.string().min(1).optional(),
  storageAccountKey: z.base64().min(1).optional(),
  managedIdentity: Identity.optional(),
});
export type CustomScriptProtectedSettings = z.infer<typeof CustomScriptProtectedSettings>;

/** What both halves say together. */
export interface CustomScript {
  /** A line for the machine's shell. */
  readonly commandToExecute?: string;
  /** base64, perhaps of gzip; only on Linux. */
  readonly script?: string;
  readonly fileUris: readonly string[];
  readonly skipDos2Unix: boolean;
  readonly storageAccount?: { readonly name: string; readonly key: string };
  readonly managedIdentity?: { readonly clientId?: string; readonly objectId?: string };
}

export interface SettingsFault {
  /** `settings.script`, `protectedSettings.storageAccountKey`, … */
  readonly at: string;
  readonly message: string;
}

/**
 * Both halves of an extension's settings as one, by the handlers' own rules: what is to run stands in one half only, and is
 * either a command or a script; an account comes with its key, and not beside a managed identity.
 * @returns every fault; the settings only where there is none
 */
export function customScript(
  settings: unknown,
  protectedSettings: unknown,
  os: 'linux' | 'windows',
): { readonly script: CustomScript } | { readonly faults: readonly SettingsFault[] } {
  const open = CustomScriptSettings.safeParse(settings ?? {});
  const hidden = CustomScriptProtectedSettings.safeParse(protectedSettings ?? {});
  const shapes = [...issues('settings', open.error), ...issues('protectedSettings', hidden.error)];
  if (!open.success || !hidden.success) return { faults: shapes };
  const faults = [...rules(open.data, hidden.data, os)];
  if (faults.length > 0) return { faults };
  const commandToExecute = open.data.commandToExecute ?? hidden.data.commandToExecute;
  const script = open.data.script ?? hidden.data.script;
  const { storageAccountName: name, storageAccountKey: key, managedIdentity } = hidden.data;
  return {
    script: {
      ...(commandToExecute === undefined ? {} : { commandToExecute }),
      ...(script === undefined ? {} : { script }),
      fileUris: open.data.fileUris ?? hidden.data.fileUris ?? [],
      skipDos2Unix: open.data.skipDos2Unix ?? false,
      ...(name === undefined || key === undefined ? {} : { storageAccount: { name, key } }),
      ...(managedIdentity === undefined ? {} : { managedIdentity: defined(managedIdentity) }),
    },
  };
}

const defined = ({ clientId, objectId }: z.infer<typeof Identity>) => ({
  ...(clientId === undefined ? {} : { clientId }),
  ...(objectId === undefined ? {} : { objectId }),
});

const issues = (half: string, error: z.ZodError | undefined): SettingsFault[] =>
  (error?.issues ?? []).map((issue) => ({
    at: [half, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));

function* rules(
  open: CustomScriptSettings,
  hidden: CustomScriptProtectedSettings,
  os: 'linux' | 'windows',
): Generator<SettingsFault> {
  for (const name of ['commandToExecute', 'script', 'fileUris'] as const)
    if (open[name] !== undefined && hidden[name] !== undefined)
      yield {
        at: `settings.${name}`,
        message: `stands in the protected settings too: expected it in one of both`,
      };
  const half = (name: 'commandToExecute' | 'script') =>
    open[name] === undefined ? 'protectedSettings' : 'settings';
  const command = open.commandToExecute ?? hidden.commandToExecute;
  const script = open.script ?? hidden.script;
  if (command === undefined && script === undefined)
    yield {
      at: 'settings.commandToExecute',
      message: os === 'linux' ? 'expected commandToExecute or script' : 'expected commandToExecute',
    };
  if (command !== undefined && script !== undefined)
    yield { at: `${half('script')}.script`, message: 'excludes commandToExecute: expected one of both' };
  if (script !== undefined) yield* scriptRules(script, `${half('script')}.script`, os);
  if (os === 'windows' && open.skipDos2Unix !== undefined)
    yield { at: 'settings.skipDos2Unix', message: 'is known on Linux only' };
  const { storageAccountName: name, storageAccountKey: key, managedIdentity } = hidden;
  if ((name === undefined) !== (key === undefined))
    yield {
      at: `protectedSettings.${name === undefined ? 'storageAccountName' : 'storageAccountKey'}`,
      message: 'expected storageAccountName and storageAccountKey together',
    };
  if (managedIdentity !== undefined && (name !== undefined || key !== undefined))
    yield {
      at: 'protectedSettings.managedIdentity',
      message: 'excludes storageAccountName and storageAccountKey',
    };
  if (managedIdentity?.clientId !== undefined && managedIdentity.objectId !== undefined)
    yield { at: 'protectedSettings.managedIdentity', message: 'expected clientId or objectId, not both' };
}

function* scriptRules(script: string, at: string, os: 'linux' | 'windows'): Generator<SettingsFault> {
  if (os === 'windows') {
    yield { at, message: 'is known on Linux only: expected commandToExecute' };
    return;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(script) || script.length % 4 !== 0)
    yield { at, message: 'expected base64, perhaps of gzip: base64 -w0 script.sh' };
  else if (script.length > (SCRIPT_LIMIT * 4) / 3 + 4)
    yield { at, message: `expected at most ${SCRIPT_LIMIT / 1024} KB` };
}
