/** Whoever writes by replication says through which registries it came, in its User-Agent: `berth-replication a.example b.example`. */
const WORD = 'berth-replication';

export const viaOf = (userAgent: string | undefined): readonly string[] => {
  const [word, ...hosts] = (userAgent ?? '').split(' ');
  return word === WORD ? hosts : [];
};

export const viaText = (hosts: readonly string[]): string => [WORD, ...hosts].join(' ');
