import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { customDataFault, withUserData } from '../../../../shared/machines/by-hand/custom-data.ts';

const ours = '#cloud-config\npackages: [docker.io]\n';

/** As a parser of mail reads it: boundary, then each part's headers and text. */
function parts(text: string): { headers: string; body: string }[] {
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? '';
  return text
    .split(`\n--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [headers = '', ...body] = part.slice(1).split('\n\n');
      const encoded = body.join('\n\n');
      return {
        headers,
        body: headers.includes('base64') ? Buffer.from(encoded, 'base64').toString('utf8') : encoded,
      };
    });
}

describe("a user's cloud-init data", () => {
  it('leaves ours as it is where there is none', () => {
    expect(withUserData(ours, undefined)).toBe(ours);
  });

  it('comes behind ours, as its own part, whatever it holds', () => {
    const kinds = fc.constantFrom('#!/bin/sh\n', '#cloud-boothook\n', '#include\n');
    fc.assert(
      fc.property(kinds, fc.string({ unit: 'grapheme', maxLength: 200 }), (kind, rest) => {
        const users = kind + rest;
        const [first, second, ...more] = parts(withUserData(ours, users));
        expect(first?.body).toBe(ours);
        expect(second?.body).toBe(users);
        expect(more).toEqual([]);
      }),
    );
  });

  it('is merged where it is #cloud-config: lists behind ours, nothing of ours replaced', () => {
    const [, second] = parts(withUserData(ours, '#cloud-config\nruncmd: [ls]\n'));
    expect(second?.headers).toContain('Content-Type: text/cloud-config');
    expect(second?.headers).toContain('Merge-Type: list(append)+dict(no_replace,recurse_list)+str()');
  });

  it.each([
    ['hello', /begins with #cloud-config, #!, #cloud-boothook, #include; found "hello"/],
    ['Content-Type: multipart/mixed', /begins with/],
    ['#cloud-config\na: [', /expected YAML/],
    ['#cloud-config\n- a\n', /expected keys and values/],
    ['#cloud-config\nmerge_how: "dict(replace)"\n', /^merge_how cannot be given/],
  ])('is refused as %j', (text, message) => {
    expect(customDataFault(text)).toMatch(message);
    expect(() => withUserData(ours, text)).toThrow(expect.objectContaining({ code: 'custom-data-invalid' }));
  });

  it('is refused where it does not fit with ours', () => {
    expect(() => withUserData(ours, `#!/bin/sh\n${'x'.repeat(65_300)}`)).toThrow(/65[,.]?535/);
  });
});
