export interface Finding {
  readonly verdict: 'ok' | 'warning' | 'fault';
  readonly subject: string;
  readonly detail: string;
  readonly remedy?: string;
}
