/**
 * The part of the agent that sends on what containers write: a thread reads each log as it grows, one sends what has come
 * together of all. Where the app and a reader lose sight of each other the app says how far it has come: nothing stands on the
 * machine. What is sent is in `log-report.ts`.
 */
export const agentLogs = String.raw`
# A killed machine loses what waits: at most these seconds, or bytes of each container, whose reader waits then.
SHIP_AFTER, SHIP_FROM, MOST_WAITING, MOST_SENT, LINE_PIECES = 5, 128 * 1024, 256 * 1024, 1024 * 1024, 16


class Gone(Exception):
    pass


def exactly(answer, size):
    data = answer.read(size)
    if len(data) < size:
        raise EOFError
    return data


# Five seconds before: the streams of a container are in another order than their times by less.
def shortly_before(stamp):
    whole = datetime.strptime(stamp[:19] + '+0000', '%Y-%m-%dT%H:%M:%S%z')
    return str(int(whole.timestamp()) - 5)


class Tail(threading.Thread):
    def __init__(self, ident, name, labels, fresh, running):
        super().__init__(daemon=True)
        self.container = {'id': ident, 'name': name, 'labels': labels}
        self.fresh, self.running, self.begun, self.ended = fresh, running, False, False
        self.place, self.seen, self.served = None, {}, 0
        self.lines, self.size, self.since = [], 0, 0
        self.room = threading.Condition()

    def run(self):
        while True:
            try:
                self.read()
                break
            except (EOFError, Gone):
                break
            except Exception as error:
                log('log of %s: %s' % (self.container['name'], error))
                time.sleep(1)
        self.ended = True

    def read(self):
        query = {'follow': '1', 'stdout': '1', 'stderr': '1', 'timestamps': '1'}
        if self.seen:
            query['since'] = shortly_before(max(self.seen.values()))
        connection = Engine()
        connection.request('GET', '/containers/%s/logs?%s' % (self.container['id'], urllib.parse.urlencode(query)))
        answer = connection.getresponse()
        if answer.status == 404:
            raise Gone
        if answer.status != 200:
            raise RuntimeError('engine: %s' % answer.status)
        first = exactly(answer, 1)
        if first[0] > 2:
            message = first + answer.readline()
            while message:
                self.take('stdout', *self.timed(message))
                message = answer.readline()
            return
        begun = {}
        while True:
            head = first + exactly(answer, 7)
            stream = 'stderr' if head[0] == 2 else 'stdout'
            stamp, text = self.timed(exactly(answer, int.from_bytes(head[4:], 'big')))
            start, pieces = begun.pop(stream, (stamp, []))
            pieces.append(text)
            if text.endswith('\n') or len(pieces) == LINE_PIECES:
                self.take(stream, start, ''.join(pieces))
            else:
                begun[stream] = (start, pieces)
            try:
                first = exactly(answer, 1)
            except EOFError:
                for stream, (start, pieces) in begun.items():
                    self.take(stream, start, ''.join(pieces))
                raise

    def timed(self, message):
        stamp, _, text = message.decode(errors='replace').partition(' ')
        return stamp, text

    def take(self, stream, stamp, text):
        if stamp <= self.seen.get(stream, ''):
            return
        self.seen[stream] = stamp
        line = '%s %s %s\n' % (stamp, stream[3], re.sub('\r?\n$', '', text))
        with self.room:
            while self.size >= MOST_WAITING:
                self.room.wait()
            if not self.lines:
                self.since = time.monotonic()
            self.lines.append((stream, stamp, line))
            self.size += len(line)

    def due(self):
        with self.room:
            return bool(self.lines) and (self.ended or self.size >= SHIP_FROM or time.monotonic() - self.since >= SHIP_AFTER)

    def waiting(self):
        with self.room:
            return len(self.lines), ''.join(line for _, _, line in self.lines)

    def drop(self, count, kept):
        with self.room:
            rest = [one for one in self.lines[count:] if one[1] > kept.get(one[0], '')]
            self.lines, self.size, self.since = rest, sum(len(line) for _, _, line in rest), time.monotonic()
            self.room.notify()

    def answered(self, count, answer):
        self.place = answer.get('place')
        kept = {stream: answer[stream] for stream in ('stdout', 'stderr') if stream in answer}
        if not self.begun and not self.fresh:
            self.seen.update(kept)
        self.drop(0 if answer['moved'] else count, kept if answer['moved'] else {})
        self.served = time.monotonic()


class Shipping(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.tails, self.added = {}, queue.Queue()

    def add(self, ident, name, labels, fresh=False, running=True):
        if 'berth.service' in labels or 'berth.run' in labels:
            self.added.put(Tail(ident, name, ours(labels), fresh, running))

    def run(self):
        wait, busy = 1, False
        while True:
            # While much is written the readers have filled up again a moment later.
            time.sleep(0.05 if busy else 0.5)
            try:
                self.begin()
                busy = False
                while self.ship():
                    busy = True
                wait = 1
            except Exception as error:
                log('logs: %s; again in %d s' % (error, wait))
                time.sleep(wait)
                wait = min(wait * 2, 30)

    def begin(self):
        while not self.added.empty():
            tail = self.added.get()
            known = self.tails.get(tail.container['id'])
            # One that was started again is read again, after what is kept of it.
            if known is None or (known.ended and not known.lines and tail.running):
                tail.fresh = tail.fresh and known is None
                self.tails[tail.container['id']] = tail
        new = [tail for tail in list(self.tails.values()) if not tail.begun]
        asked = [tail for tail in new if not tail.fresh][:100]
        if asked:
            self.send([(tail, 0, '') for tail in asked])
        for tail in new:
            if tail.fresh or tail in asked:
                tail.begun = True
                tail.start()

    # Whoever was served longest ago comes first, and none gets more than its share of a request.
    def ship(self):
        tails = list(self.tails.values())
        if not any(tail.due() for tail in tails):
            return False
        parts, size = [], 0
        for tail in sorted(tails, key=lambda one: one.served):
            count, text = tail.waiting()
            if not count:
                continue
            if parts and size + len(text) > MOST_SENT or len(parts) == 100:
                break
            parts.append((tail, count, text))
            size += len(text)
        self.send(parts)
        return True

    def send(self, parts):
        body = {'parts': [{'container': tail.container, 'text': text, **({'place': tail.place} if tail.place else {})}
                          for tail, _, text in parts]}
        for (tail, count, _), answer in zip(parts, json.loads(post('/logs', body))['parts']):
            tail.answered(count, answer)

    # What is not there any more is forgotten once all that it wrote has been sent.
    def forget(self, present):
        for ident, tail in list(self.tails.items()):
            if tail.ended and ident not in present and not tail.lines:
                del self.tails[ident]
`;
