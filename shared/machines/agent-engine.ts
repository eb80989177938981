/** The part of the agent that asks the engine of its machine, and tells times as the engine does. */
export const agentEngine = `class Engine(http.client.HTTPConnection):
    def __init__(self):
        super().__init__('docker')

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect('/run/docker.sock')


def engine(path, **query):
    connection = Engine()
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}
    connection.request('GET', path + '?' + urllib.parse.urlencode(text))
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError('engine: %s %s' % (answer.status, answer.read(500)))
    return answer


def utc(nanoseconds):
    seconds, rest = divmod(nanoseconds, 10**9)
    return '%s.%09dZ' % (time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds)), rest)


def now():
    return datetime.now(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


`;
