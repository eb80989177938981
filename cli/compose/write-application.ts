import { stringify } from 'yaml';
import type { MappedProject } from '../../shared/compose/map/conclude.ts';
import { imageKey } from '../../shared/compose/map/map-service.ts';
import { parseForeignReference } from '../../shared/model/foreign-reference.ts';
import { imageText } from '../image-name.ts';
import { builtName } from './built-name.ts';
import { withImages } from './with-images.ts';

/**
 * A berth.yaml of a compose project: images as an import calls them, those that are built as `application/service`. What is to
 * be done before it can be deployed stands at its top.
 */
export function applicationText(mapped: MappedProject, files: readonly string[]): string {
  const { application, images, builds, secretSources } = mapped;
  const steps: string[] = [];
  const named = new Map<string, string>();
  for (const one of images) {
    const { image } = one;
    const { host, repository, tag, digest } = parseForeignReference(image);
    named.set(imageKey(one), `${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`);
    steps.push(`berth images import ${host}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`);
  }
  for (const { service, context, options } of builds) {
    const image = application.services[service]?.['image'];
    const target = imageText(
      builtName(application.name, service, typeof image === 'string' ? image : undefined, []),
    );
    named.set(service, target);
    steps.push(['docker build --tag', target, ...options, context].join(' '), `berth push ${target}`);
  }
  for (const { name, file } of secretSources)
    steps.push(
      `berth secrets set ${name} -a ${application.name}${file === undefined ? '' : ` --file ${file}`}`,
    );
  const head = [
    `From ${files.join(', ')}. docs/berth.yaml of Berth shows every key with what it means.`,
    ...(steps.length === 0
      ? []
      : ['Before it is deployed:', ...[...new Set(steps)].map((step) => `    ${step}`)]),
  ];
  return `${head.map((line) => `# ${line}`).join('\n')}\n${stringify(withImages(application, named), { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
