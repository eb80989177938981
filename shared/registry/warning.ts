/** A Warning header's value. OCI Distribution 1.1, "Warnings": code 299, no agent, a quoted text of ASCII. */
const headerOf = (text: string): string =>
  `299 - "${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;

/** The header, if there is something to say. */
export const warning = (text: string | undefined): { readonly warning?: string } =>
  text === undefined ? {} : { warning: headerOf(text) };
