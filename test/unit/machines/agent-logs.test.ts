import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseLine } from '../../../shared/logs/log-line.ts';
import { agentLogs } from '../../../shared/machines/agent-logs.ts';
import { LogReport } from '../../../shared/machines/log-report.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** The agent's part with an engine and an app that are made of lists. */
const around = (engineBytes: string, scenario: string): string => `
import base64, io, json, queue, re, sys, threading, time, urllib.parse
from datetime import datetime, timezone
LOG = base64.b64decode('${engineBytes}')
asked, sent, answers = [], [], []
def log(text): print(text, file=sys.stderr)
def ours(labels): return {k: v for k, v in labels.items() if k.startswith('berth.')}
class Answer(io.BytesIO):
    status = 200
class Engine:
    def request(self, method, path): asked.append(path)
    def getresponse(self): return Answer(LOG)
def post(path, body):
    sent.append(body)
    answer = answers.pop(0) if answers else {}
    if answer is None:
        raise RuntimeError('the answer was lost')
    return json.dumps({'parts': [{'moved': False, 'place': {'segment': '2026-11-30T12:00:01.000Z', 'position': len(sent)}, **answer} for _ in body['parts']]})
${agentLogs}
SHIP_AFTER = 0
shipping = Shipping()
labels = {'berth.service': 'dev.hello.web', 'other': 'x'}
def rounds(count):
    for _ in range(count):
        try:
            shipping.begin()
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline and any(t.begun and not t.ended and not t.size >= MOST_WAITING for t in shipping.tails.values()):
                time.sleep(0.01)
            while shipping.ship():
                pass
        except RuntimeError as error:
            log(error)
${scenario}
print(json.dumps({'asked': asked, 'sent': sent, 'left': len(shipping.tails)}))
`;

const frame = (stream: 1 | 2, text: string): Buffer => {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
};
const at = (second: number): string => `2026-11-30T12:00:${String(second).padStart(2, '0')}.000000000Z`;
const three = Buffer.concat([
  frame(1, `${at(1)} one\n`),
  frame(2, `${at(2)} half `),
  frame(1, `${at(3)} two\r\n`),
  frame(2, `${at(4)} whole\n`),
]);

function run(bytes: Buffer, scenario: string) {
  const { stdout, stderr, status } = spawnSync('python3', ['-'], {
    input: around(bytes.toString('base64'), scenario),
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  expect([status, stderr.includes('Traceback')], stderr).toEqual([0, false]);
  const { asked, sent, left } = JSON.parse(stdout) as { asked: string[]; sent: unknown[]; left: number };
  const reports = sent.map((body) => LogReport.parse(body));
  const texts = reports.flatMap(({ parts }) =>
    parts.map(({ text }) => text.split('\n').flatMap((line) => parseLine(line)?.text ?? [])),
  );
  return { asked, reports, texts, left };
}

describe.skipIf(!hasPython)('what the agent sends of logs', () => {
  it('are whole lines of a new container, with our labels, and the next at the place that was answered', () => {
    const { reports, texts, asked, left } = run(
      three,
      `shipping.add('a' * 64, 'web', labels, fresh=True)\nrounds(1)\nshipping.forget(set())`,
    );
    expect(texts).toEqual([['one', 'two', 'half whole']]);
    expect(reports[0]?.parts[0]?.container.labels).toEqual({ 'berth.service': 'dev.hello.web' });
    expect(reports[0]?.parts[0]?.place).toBeUndefined();
    expect(asked[0]).not.toContain('since');
    expect(left).toBe(0);
  });

  it('are sent again after a lost answer, but not what the app has by then', () => {
    const { texts, reports } = run(
      three,
      `answers += [None, {'moved': True, 'stdout': '${at(1)}', 'stderr': '${at(2)}'}]
shipping.add('a' * 64, 'web', labels, fresh=True)\nrounds(2)`,
    );
    expect(texts).toEqual([['one', 'two', 'half whole'], ['one', 'two', 'half whole'], ['two']]);
    expect(reports[2]?.parts[0]?.place).toEqual({ segment: '2026-11-30T12:00:01.000Z', position: 2 });
  });

  it('begin where the app is, for a container that was there before', () => {
    const { asked, texts } = run(
      three,
      `answers += [{'moved': True, 'stdout': '${at(1)}'}]\nshipping.add('a' * 64, 'web', labels)\nrounds(1)`,
    );
    expect(asked[0]).toContain(`since=${Date.parse('2026-11-30T12:00:01Z') / 1000 - 5}`);
    expect(texts).toEqual([[], ['two', 'half whole']]);
  });

  it('come from a flood no faster than they are taken, and leave room for others', () => {
    const flood = Buffer.concat(
      Array.from({ length: 40 }, (_, index) => frame(1, `${at(index)} ${'x'.repeat(16_000)}\n`)),
    );
    const { reports, texts } = run(
      flood,
      `shipping.add('a' * 64, 'a', labels, fresh=True)\nshipping.add('b' * 64, 'b', labels, fresh=True)
rounds(1)\nrounds(1)\nrounds(1)\nrounds(1)`,
    );
    expect(texts.flat().length).toBe(80);
    for (const { parts } of reports)
      for (const { text } of parts) expect(text.length).toBeLessThan(256 * 1024 + 20_000);
  });

  it('of a terminal are its one stream, and a line without an end is cut', () => {
    const raw = Buffer.from(`${at(1)} one\r\n${at(2)} two\r\n`);
    expect(run(raw, `shipping.add('a' * 64, 'web', labels, fresh=True)\nrounds(1)`).texts).toEqual([
      ['one', 'two'],
    ]);
    const endless = Buffer.concat(
      Array.from({ length: 20 }, (_, index) => frame(1, `${at(index)} ${'y'.repeat(10)}`)),
    );
    const { texts } = run(endless, `shipping.add('a' * 64, 'web', labels, fresh=True)\nrounds(1)`);
    expect(texts[0]?.map((text) => text.length)).toEqual([160, 40]);
  });
});
