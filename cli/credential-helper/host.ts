/** `host` or `host:port` of what clients call a server: with or without scheme and path; https's own port is left out. */
export function hostOf(server: string): string {
  const [, rest = ''] = /^(?:[a-z]+:\/\/)?([^/]*)/i.exec(server.trim()) ?? [];
  return rest.toLowerCase().replace(/:443$/, '');
}
