/**
 * Part of the machines' network script: answers containers' questions for names. Who asks is told by the address that the
 * question comes from, so that each environment has names of its own; what is not Berth's is asked elsewhere.
 */
export const resolverScript = String.raw`# ---- names: https://www.rfc-editor.org/rfc/rfc1035#section-4
def question(data):
    if len(data) < 17 or struct.unpack('!H', data[4:6])[0] != 1 or data[2] & 0xf8:
        raise ValueError('not one question')
    at, labels = 12, []
    while data[at]:
        if data[at] > 63:
            raise ValueError('a compressed question')
        labels.append(data[at + 1:at + 1 + data[at]].decode('ascii').lower())
        at += data[at] + 1
    kind, _ = struct.unpack('!HH', data[at + 1:at + 5])
    return labels, kind, at + 5


def reply(data, end, code, addresses, most):
    fits = (most - end) // 16
    cut = len(addresses) > fits
    flags = 0x8480 | (data[2] & 1) << 8 | code | (0x200 if cut else 0)
    head = data[:2] + struct.pack('!HHHHH', flags, 1, len(addresses[:fits]), 0, 0)
    answers = b''.join(b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 0, 4) + socket.inet_aton(one)
                       for one in addresses[:fits])
    return head + data[12:end] + answers


def environment_of(address):
    place = known['place']
    offset = int(ipaddress.ip_address(address)) - int(ipaddress.ip_network(place['subnet']).network_address)
    if not 0 <= offset < place['environments'] + 1 << place['hostBits']:
        return None
    number = offset >> place['hostBits']
    return next((one for one in known['names'].values() if one['number'] == number), None)


# None: not ours to answer. Of a service that there is, without a healthy replica: no address, and no error.
def addresses(labels, names):
    if labels[-1:] != [ZONE]:
        return None
    every = labels[0] == TASKS and len(labels) == 5
    rest = labels[1:] if every else labels
    if names is None or len(rest) != 4 or rest[2] != names['environment']:
        return False
    found = names['services'].get('%s.%s' % (rest[1], rest[0]))
    if found is None:
        return False
    return random.sample(found, len(found) if every else min(8, len(found)))


def upstreams():
    lines = (agent.read('/etc/resolv.conf') or '').splitlines()
    return [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == 'nameserver'][:3]


def forward(data, stream):
    for server in upstreams():
        try:
            kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
            family = socket.AF_INET6 if ':' in server else socket.AF_INET
            with socket.socket(family, kind) as there:
                there.settimeout(3)
                there.connect((server, 53))
                if not stream:
                    there.send(data)
                    return there.recv(MOST)
                there.sendall(struct.pack('!H', len(data)) + data)
                return take_message(there.makefile('rb'))
        except OSError:
            continue
    return data[:2] + struct.pack('!H', 0x8182 | (data[2] & 1) << 8) + data[4:]


def take_message(file):
    size = file.read(2)
    return file.read(struct.unpack('!H', size)[0]) if len(size) == 2 else b''


def answer_to(data, source, stream):
    labels, kind, end = question(data)
    found = addresses(labels, environment_of(source))
    if found is None:
        return forward(data, stream)
    most = MOST if stream else PLAIN
    return reply(data, end, 3, [], most) if found is False else reply(data, end, 0, found if kind == 1 else [], most)


def answer_datagrams(place):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((place['resolver'], 53))
    pool = concurrent.futures.ThreadPoolExecutor(32)
    inside = ipaddress.ip_network(place['subnet'])

    def answer_one(data, source):
        try:
            server.sendto(answer_to(data, source[0], False), source)
        except Exception as error:
            agent.log('name: %s' % error)

    while True:
        data, source = server.recvfrom(MOST)
        if ipaddress.ip_address(source[0]) in inside:
            pool.submit(answer_one, data, source)


class Streams(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        data = take_message(self.rfile)
        if data and ipaddress.ip_address(self.client_address[0]) in ipaddress.ip_network(known['place']['subnet']):
            said = answer_to(data, self.client_address[0], True)
            self.wfile.write(struct.pack('!H', len(said)) + said)
`;
