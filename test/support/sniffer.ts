import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Counts packets on all interfaces of this computer, and those that hold a text, until it is told to stop. */
const program = `
import json, socket, sys, threading
WIREGUARD = 51820
text = sys.argv[1].encode()
here = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
here.settimeout(0.2)
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
seen = {'plain': 0, 'encrypted': 0}
print('listening', flush=True)
while not over.is_set():
    try:
        packet = here.recv(65535)
    except TimeoutError:
        continue
    seen['plain'] += text in packet
    # Ethernet, IPv4, UDP.
    header = 14 + (packet[14] & 15) * 4
    if packet[12:14] == b'\\x08\\x00' and packet[23] == 17:
        seen['encrypted'] += int.from_bytes(packet[header + 2:header + 4], 'big') == WIREGUARD
print(json.dumps(seen))
`;

export interface Sniffed {
  /** Packets that held the text as it is. */
  readonly plain: number;
  /** Packets of WireGuard. */
  readonly encrypted: number;
}

/** What passes on this computer's interfaces, the machines' bridge among them, while `act` goes on. Needs root. */
export async function sniff(text: string, act: () => Promise<unknown>): Promise<Sniffed> {
  const child = spawn('python3', ['-c', program, text], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await once(child.stdout, 'data');
  try {
    await act();
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  }
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Sniffed;
}
