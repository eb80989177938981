import { z } from 'zod';
import { ContentName } from './files.ts';
import { ApplicationName, EnvironmentName, MachineName } from './names.ts';

/** One volume of an application for one slot of its services: those of one slot share it. */
export const VolumeKey = z.object({
  environment: EnvironmentName,
  application: ApplicationName,
  volume: ContentName,
  slot: z.number().int().min(0),
});
export type VolumeKey = z.infer<typeof VolumeKey>;

/** Where a volume is. It is kept until somebody removes it, whatever becomes of what used it. */
export const VolumeRecord = z.object({
  key: VolumeKey,
  machine: MachineName,
  /** It is there with what was written; before that it was only decided where it will be. */
  made: z.boolean(),
  createdAt: z.iso.datetime(),
});
export type VolumeRecord = z.infer<typeof VolumeRecord>;

/** `dev.shop.data.0`: name of the engine's volume, unique on all machines. */
export const volumeId = ({ environment, application, volume, slot }: VolumeKey): string =>
  `${environment}.${application}.${volume}.${slot}`;

/** What stands for it among what is reserved on a machine, so that the machine is kept. */
export const volumeReservation = (key: VolumeKey): string => `volume ${volumeId(key)}`;
export const isVolumeReservation = (reservation: string): boolean => reservation.startsWith('volume ');
