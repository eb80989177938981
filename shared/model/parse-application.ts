import { ApplicationSpec } from './application.ts';
import { parseYaml } from './parse-yaml.ts';

/**
 * An application from the text of a berth.yaml (YAML 1.2, so JSON too). docs/berth.yaml is the documented example.
 * @throws Invalid `yaml-invalid` or `application-invalid`: every fault with line, column and what was expected
 */
export const parseApplication = (text: string): ApplicationSpec =>
  parseYaml(text, ApplicationSpec, {
    code: 'application-invalid',
    remedy: 'Mend these places; docs/berth.yaml shows every key with what it means.',
  });
