/**
 * The part of the agent that asks containers for their health once they run, as their label `berth.watch` says
 * (`shared/workloads/watched.ts`), and has it told at once when one does not answer any more. What the engine asks by
 * itself is taken from its list.
 */
export const agentWatch = `
class Check:
    def __init__(self, one, said):
        self.said, self.port, self.made = said, one['Labels'].get('berth.port'), one['Created']
        self.seen, self.failures, self.since, self.reason, self.due, self.busy = False, 0, None, '', 0, False

    # True if it has something new to tell.
    def note(self, reason):
        if reason is None:
            told, self.seen, self.failures, self.since = self.since is not None, True, 0, None
            return told
        self.failures, self.reason = self.failures + 1, reason[:500]
        started = self.seen or time.time() - self.made > self.said['deadline']
        if self.since is not None or not started or self.failures < self.said['failures']:
            return False
        self.since = now()
        return True

    def ask(self, address):
        path, within = self.said.get('path'), self.said['within']
        try:
            if path is None:
                with socket.create_connection((address, int(self.port)), within) as asked:
                    asked.settimeout(0.1)
                    try:
                        return None if asked.recv(1) else 'port %s closes connections' % self.port
                    except socket.timeout:
                        return None
            connection = http.client.HTTPConnection(address, int(self.port), timeout=within)
            try:
                connection.request('GET', path, headers={'Connection': 'close'})
                status = connection.getresponse().status
                return None if 200 <= status < 400 else 'GET %s answered %d' % (path, status)
            finally:
                connection.close()
        except socket.timeout:
            return '%s did not answer within %g s' % ('GET ' + path if path else 'port ' + self.port, within)
        except Exception as error:
            return '%s: %s' % ('GET ' + path if path else 'port ' + self.port, error)


class Watch(threading.Thread):
    def __init__(self, heard):
        super().__init__(daemon=True)
        self.heard, self.known, self.address = heard, {}, None
        self.todo, self.room = queue.Queue(), threading.Lock()

    # What the engine lists, and what it says of those that it asks itself.
    def follow(self, listed):
        with self.room:
            running = {one['Id']: one for one in listed
                       if one['State'] in ('running', 'paused') and 'berth.watch' in one['Labels']}
            for gone in set(self.known) - set(running):
                del self.known[gone]
            for ident, one in running.items():
                if ident not in self.known:
                    self.known[ident] = [Check(one, said) for said in json.loads(one['Labels']['berth.watch'])]
                for check in self.known[ident]:
                    if check.said.get('engine') and '(unhealthy)' in one['Status'] and check.since is None:
                        check.since, check.reason = now(), last_output(ident)
                    elif check.said.get('engine') and '(unhealthy)' not in one['Status']:
                        check.since = None

    def told(self, ident):
        with self.room:
            bad = [check for check in self.known.get(ident, []) if check.since is not None]
        bad.sort(key=lambda check: not check.said['dead'])
        return {'since': bad[0].since, 'reason': bad[0].reason, 'dead': bad[0].said['dead']} if bad else None

    def work(self):
        while True:
            check = self.todo.get()
            if check.note(check.ask(self.address)):
                self.heard.put({'Action': 'watch'})
            check.due, check.busy = time.monotonic() + check.said['every'], False

    def run(self):
        for _ in range(4):
            threading.Thread(target=self.work, daemon=True).start()
        self.address = patiently(private_address)
        while True:
            with self.room:
                due = [check for checks in self.known.values() for check in checks
                       if not check.said.get('engine') and check.port and not check.busy and check.due <= time.monotonic()]
            for check in due:
                check.busy = True
                self.todo.put(check)
            time.sleep(0.5)


def last_output(ident):
    try:
        said = json.load(engine('/containers/%s/json' % ident))['State']['Health']['Log'][-1]
        return ('exit code %d: %s' % (said['ExitCode'], said['Output'].strip()))[:500]
    except Exception:
        return 'its health check fails'
`;
