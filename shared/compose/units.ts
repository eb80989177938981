/** `1h5m30s20ms` in seconds; undefined if it is no duration. Compose Specification, 11-extension, "Specifying durations". */
export function secondsOf(text: string): number | undefined {
  if (text.trim() === '0') return 0;
  const units: Readonly<Record<string, number>> = {
    h: 3600,
    m: 60,
    s: 1,
    ms: 1e-3,
    us: 1e-6,
    µs: 1e-6,
    ns: 1e-9,
  };
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/gy)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text.trim()) return undefined;
  const sum = parts.reduce((total, [, value, unit]) => total + Number(value) * (units[unit ?? ''] ?? 0), 0);
  return Math.round(sum * 1e9) / 1e9;
}

/** `50M`, `1.5gb`, `1024`, `2k`, `300b` in bytes, in steps of 1024; undefined if it is no size. "Specifying byte values". */
export function bytesOf(value: string | number): number | undefined {
  const match = /^\s*(?<count>\d+(?:\.\d+)?)\s*(?<unit>[kmgtp]?)(?:i?b)?\s*$/i.exec(String(value));
  if (match?.groups === undefined) return undefined;
  const { count = '', unit = '' } = match.groups;
  return Math.floor(Number(count) * 1024 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' '));
}
