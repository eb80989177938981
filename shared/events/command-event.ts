import type { CloudEvent } from '../model/cloud-event.ts';
import type { Command } from '../model/command.ts';

/**
 * A command as an event.
 * @param source who sent it: `api`, `queue/commands`, `storage-queue/commands`, `hooks/<name>`
 * @param messageId what its message or delivery is called; the command's own id, if it has one, comes first
 */
export const commandEvent = (command: Command, source: string, messageId: string, now: Date): CloudEvent => ({
  specversion: '1.0',
  id: command.id ?? messageId,
  source,
  type: 'dev.berth.command',
  time: now.toISOString(),
  datacontenttype: 'application/json',
  data: command,
});
