import { parseYaml } from '../../model/parse-yaml.ts';
import { RepositoryPolicy } from './policy.ts';

/**
 * A policy from the text of a policy.yaml (YAML 1.2, so JSON too).
 * @throws Invalid `yaml-invalid` or `policy-invalid`: every fault with line, column and what was expected
 */
export const parsePolicy = (text: string): RepositoryPolicy =>
  parseYaml(text, RepositoryPolicy, {
    code: 'policy-invalid',
    remedy: 'Mend these places; docs/registry.md, "Policies", shows every key with what it means.',
  });
