import { resolverScript } from './resolver-script.ts';

/**
 * The script that joins a machine to the containers' network: Python 3 with its standard library and the agent beside
 * it. It keeps the WireGuard interface, routes and packet filter, answers containers' questions for names, and takes
 * what the app tells it (`protocol.ts`) over TLS with the engine's certificate, from clients of the engine CA.
 *
 * Fail closed: the containers' range leads into the WireGuard interface or, without it, nowhere; what comes out of it is
 * passed on within one environment alone. Where no WireGuard can be had, machines' containers do not meet.
 */
export const networkScript = String.raw`#!/usr/bin/python3
import concurrent.futures, http.server, ipaddress, json, os, random, signal, socket, socketserver, ssl, struct
import subprocess, sys, threading
import agent

WG, PORT, STATE, TLS = 'berth-wg', 51820, '/var/lib/berth/network', '/etc/docker/tls'
LISTEN, CHAIN = 2378, 'BERTH-NETWORK'
TASKS, ZONE = 'tasks', 'berth'
MOST, PLAIN = 65535, 512
lock, ask_again = threading.Lock(), threading.Event()
known = {'place': None, 'peers': None, 'names': {}}


def do(*words, given=None):
    done = subprocess.run(words, input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (' '.join(words[:4]), (done.stderr or done.stdout).strip()[-300:]))
    return done.stdout


def works(*words):
    return subprocess.run(words, capture_output=True).returncode == 0


# The kernel's WireGuard where it has it, else the program's; else nothing passes between machines, and the app is told.
def make_link():
    works('ip', 'link', 'delete', WG)
    try:
        do('ip', 'link', 'add', WG, 'type', 'wireguard')
        return {'means': 'kernel'}
    except Exception as error:
        refused = str(error)
    try:
        os.makedirs('/dev/net', exist_ok=True)
        if not os.path.exists('/dev/net/tun'):
            os.mknod('/dev/net/tun', 0o20666, os.makedev(10, 200))
        do('wireguard-go', WG)
        return {'means': 'wireguard-go'}
    except Exception as error:
        return {'means': 'none', 'reason': ('%s; %s' % (refused, error))[:500]}


def private_key():
    path = STATE + '/private.key'
    if not os.path.exists(path):
        agent.write(path, do('wg', 'genkey'), 0o600)
    return agent.read(path).strip()


def rule(table, chain, *words, first=False):
    if not works('iptables', '-w', '-t', table, '-C', chain, *words):
        do('iptables', '-w', '-t', table, '-I' if first else '-A', chain, *words)


# Numbers of environments are bits in the middle of an address: a mask with a gap tells whose it is on any machine.
def filter_lines(place):
    network, mask = ipaddress.ip_network(place['range']), place['environmentMask']
    lines = []
    for number in range(1, place['environments'] + 1):
        of = '%s/%s' % (network.network_address + (number << place['hostBits']), mask)
        bridge = 'berth-e%d' % number
        lines += ['-i %s -o %s -s %s -d %s -j ACCEPT' % (one, other, of, of)
                  for one, other in ((WG, bridge), (bridge, WG))]
    low, high = place['publishedPorts']
    # The ingress, on Docker's own bridge, uses published ports: on its own machine these lead from bridge to bridge.
    lines += ['-i docker0 -o berth-e+ -m conntrack --ctstate DNAT -j ACCEPT',
              '-i berth-e+ -o docker0 -m conntrack --ctstate ESTABLISHED -j ACCEPT']
    return lines + ['-i %s -j DROP' % WG, '-o %s -j DROP' % WG,
                    '-i berth-e+ -d 169.254.169.254/32 -j DROP',
                    '-i berth-e+ -d %s -p tcp --dport %d:%d -j DROP' % (place['machines'], low, high)]


def place_machine(place):
    with open(STATE + '/rules', 'w') as file:
        file.write('*filter\n:%s - [0:0]\n%s\nCOMMIT\n' % (CHAIN, '\n'.join(
            '-A %s %s' % (CHAIN, line) for line in filter_lines(place))))
    works('iptables', '-w', '-N', 'DOCKER-USER')
    do('iptables-restore', '-w', '--noflush', STATE + '/rules')
    rule('filter', 'DOCKER-USER', '-j', CHAIN, first=True)
    rule('filter', 'INPUT', '-i', WG, '-j', 'DROP', first=True)
    rule('nat', 'POSTROUTING', '-s', place['subnet'], '!', '-d', place['range'], '-j', 'MASQUERADE')
    do('ip', 'address', 'replace', place['resolver'] + '/32', 'dev', 'lo')
    do('ip', 'route', 'replace', 'blackhole', place['range'], 'metric', '4096')
    if works('ip', 'link', 'show', WG):
        do('ip', 'link', 'set', WG, 'mtu', str(place['mtu']), 'up')
        do('ip', 'route', 'replace', place['range'], 'dev', WG)


def apply_peers():
    place, peers = known['place'], known['peers']
    if place is None or not works('ip', 'link', 'show', WG):
        return
    lines = ['[Interface]', 'PrivateKey = ' + private_key(), 'ListenPort = %d' % PORT]
    for peer in (peers or {'peers': []})['peers']:
        if peer['subnet'] != place['subnet']:
            lines += ['[Peer]', 'PublicKey = ' + peer['publicKey'], 'Endpoint = ' + peer['endpoint'],
                      'AllowedIPs = ' + peer['subnet']]
    agent.write(STATE + '/wg.conf', '\n'.join(lines) + '\n', 0o600)
    do('wg', 'syncconf', WG, STATE + '/wg.conf')


# An older document that arrives late changes nothing.
def take(document):
    with lock:
        peers = document['document'] == 'peers'
        before = known['peers'] if peers else known['names'].get(document['environment'])
        if before is not None and before['version'] > document['version']:
            return
        if peers:
            known['peers'] = document
            apply_peers()
        else:
            # A number that was another environment's, which is closed.
            known['names'] = {key: one for key, one in known['names'].items() if one['number'] != document['number']}
            known['names'][document['environment']] = document
        keep()


def keep():
    agent.write(STATE + '/known.json', json.dumps(known), 0o600)


def ask(link):
    said = dict(link)
    if link['means'] != 'none':
        said['publicKey'] = do('wg', 'pubkey', given=private_key()).strip()
    answer = agent.post('/network', said)
    if not answer:
        return
    found = json.loads(answer)
    with lock:
        if known['place'] != found['place']:
            known.update(place=found['place'], peers=None, names={})
        place_machine(found['place'])
        names = {one['environment'] for one in found['documents'] if one['document'] == 'names'}
        known['names'] = {key: one for key, one in known['names'].items() if key in names}
        apply_peers()
        keep()
    for document in found['documents']:
        take(document)


${resolverScript}

# ---- what the app tells
class Told(http.server.BaseHTTPRequestHandler):
    protocol_version, timeout = 'HTTP/1.1', 120

    def do_POST(self):
        try:
            take(json.loads(self.rfile.read(int(self.headers['content-length']))))
            code, text = 204, b''
        except Exception as error:
            code, text = 400, str(error).encode()
        self.send_response(code)
        if text:
            self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, address):
        pass


class Receiver(Server):
    # The certificate may be another one than a minute ago; a client that stalls in its handshake holds up itself alone.
    def get_request(self):
        connection, address = super().get_request()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(TLS + '/cert.pem', TLS + '/key.pem')
        context.load_verify_locations(TLS + '/ca.pem')
        connection.settimeout(10)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def serve_all():
    place = known['place']
    start(answer_datagrams, place)
    start(Server((place['resolver'], 53), Streams).serve_forever)
    start(Receiver(('', LISTEN), Told).serve_forever)


def ready():
    if os.environ.get('NOTIFY_SOCKET'):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'].replace('@', '\0', 1))


def main():
    os.umask(0o077)
    os.makedirs(STATE, exist_ok=True)
    signal.signal(signal.SIGHUP, lambda *_: ask_again.set())
    link = make_link()
    agent.log('network: %s' % json.dumps(link))
    known.update(json.loads(agent.read(STATE + '/known.json') or '{}'))
    if known['place'] is None:
        # Of use all the same, should the app not answer this.
        late = threading.Timer(30, ready)
        late.daemon = True
        late.start()
        agent.patiently(lambda: ask(link))
    else:
        place_machine(known['place'])
        apply_peers()
        ask_again.set()
    if known['place'] is not None:
        serve_all()
    else:
        works('ip', 'link', 'delete', WG)
        link = {'means': 'none'}
    ready()
    while True:
        if ask_again.wait(5):
            ask_again.clear()
            agent.patiently(lambda: ask(link))
        # wireguard-go may have ended, or somebody removed the interface: the unit starts anew, with all of it.
        if link['means'] != 'none' and not os.path.exists('/sys/class/net/' + WG):
            sys.exit('the interface %s is gone' % WG)


if __name__ == '__main__':
    main()
`;
