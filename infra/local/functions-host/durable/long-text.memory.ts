import type { LongTexts } from './long-text.ts';

export function memoryLongTexts(): LongTexts {
  const texts = new Map<string, string>();
  return {
    async put(name, text) {
      texts.set(name, text);
    },
    async get(name) {
      const text = texts.get(name);
      if (text === undefined) throw new Error(`no text '${name}'`);
      return text;
    },
    async deleteAll(prefix) {
      for (const name of texts.keys()) if (name.startsWith(prefix)) texts.delete(name);
    },
  };
}
