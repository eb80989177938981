import { Terminal } from '../../model/errors.ts';

/** Status 429 with `Retry-After`. */
export class TooManyRequests extends Terminal {
  /** Whole seconds, 1 at least. */
  readonly afterSeconds: number;

  constructor(who: string, waitMs: number) {
    const afterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    super({
      code: 'too-many-requests',
      status: 429,
      message: `${who} asks more often than it may.`,
      remedy: `Ask again in ${afterSeconds} s.`,
    });
    this.afterSeconds = afterSeconds;
  }
}
