import { z } from 'zod';
import { MachineName } from '../../model/names.ts';
import { signature } from '../../model/signature.ts';
import type { Progress } from '../cloud.ts';

const machine = z.object({ machine: MachineName });

/** Orchestration: has ARM admit whom the machine's record says. Instance id `admission-<vm>-<letters>`. */
export const admitCallers = signature('admit-callers', {
  input: machine,
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('done') }),
    z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
  ]),
});
export type CallersAdmitted = z.infer<typeof admitCallers.output>;

/** Puts the security group as the record says; done where the machine has none. */
export const changeSecurityGroup = signature('change-security-group', {
  input: machine,
  output: z.custom<Progress>(),
});
