import type { CareTotals, Finding } from '../../model/care-run.ts';

/** Storage is freed by what holds bytes itself; a link or a pointer frees what it names only later. */
const HOLDS: ReadonlySet<Finding['what']> = new Set(['manifest', 'data']);

export function totalsOf(findings: readonly Finding[]): CareTotals {
  const sum = (goes: Finding['goes']): number =>
    findings.reduce(
      (total, finding) => total + (finding.goes === goes && HOLDS.has(finding.what) ? finding.bytes : 0),
      0,
    );
  return { found: findings.length, freed: sum('now'), later: sum('later') };
}
