import { agentEngine } from './agent-engine.ts';
import { agentLogs } from './agent-logs.ts';
import { agentRegister } from './agent-register.ts';
import { agentWatch } from './agent-watch.ts';

/**
 * The script that runs in every machine, Python 3 with its standard library alone. `register` asks the app for the
 * engine's certificate, `follow` reports what happens on the engine and what Azure announces, `boot` tells how cloud-init ended. What it sends and gets is in `observation.ts`.
 * Its configuration is /etc/berth/agent.json: {"app": "https://…", "machine": "…"}.
 */
export const agentScript = String.raw`#!/usr/bin/python3
import glob, http.client, json, os, queue, re, shutil, socket, ssl, subprocess, sys, threading, time
import urllib.error, urllib.parse, urllib.request
from datetime import datetime, timezone

CONFIG = json.load(open('/etc/berth/agent.json'))
APP, MACHINE = CONFIG['app'], CONFIG['machine']
TLS = '/etc/docker/tls'
METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource='
SCHEDULED = 'http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01'
RESOURCE = 'https://management.azure.com/'
EVERY, SOON, RENEW_BEFORE = 10, 1, 30 * 86400
token = {'value': '', 'until': 0}


def log(text):
    print(text, file=sys.stderr, flush=True)


# The authorities of the machine are read once: for each request they take longer than the request.
def opener():
    secure = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), secure)


direct = opener()


def bearer():
    if token['until'] < time.time() + 300:
        request = urllib.request.Request(METADATA + urllib.parse.quote(RESOURCE, safe=''), headers={'Metadata': 'true'})
        with direct.open(request, timeout=10) as answer:
            body = json.load(answer)
        token.update(value=body['access_token'], until=int(body['expires_on']))
    return token['value']


def post(path, body):
    global direct
    request = urllib.request.Request(APP + '/api/v1/machines/' + MACHINE + path, json.dumps(body).encode(),
                                     {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + bearer()})
    try:
        with direct.open(request, timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 401:
            token['until'] = 0
        raise RuntimeError('%s %s: %s' % (error.code, path, error.read(2000).decode(errors='replace')))
    except urllib.error.URLError:
        direct = opener()
        raise


def patiently(work):
    wait = 0.5
    while True:
        try:
            return work()
        except Exception as error:
            log('%s; again in %g s' % (error, wait))
            time.sleep(wait)
            wait = min(wait * 2, 30)


${agentRegister}${agentEngine}def ours(labels):
    return {key: value for key, value in labels.items() if key.startswith('berth.')}


def follow_events(heard):
    last = time.time_ns()
    kinds = {'type': ['container'], 'label': ['berth.environment'], 'event': ['start', 'die', 'health_status']}
    while True:
        try:
            for line in engine('/events', since='%d.%09d' % divmod(last, 10**9), filters=kinds):
                event = json.loads(line)
                if event['timeNano'] <= last:
                    continue
                last = event['timeNano']
                heard.put(event)
        except Exception as error:
            log('events: %s' % error)
        time.sleep(1)


def death(event):
    actor = event['Actor']
    attributes = actor['Attributes']
    return {'id': actor['ID'], 'name': attributes['name'], 'labels': ours(attributes),
            'exitCode': int(attributes.get('exitCode', -1)), 'time': utc(event['timeNano'])}


def container(listed, unhealthy=None):
    status = listed['Status']
    seen = {'id': listed['Id'], 'name': listed['Names'][0].lstrip('/'), 'labels': ours(listed['Labels']),
            'state': 'running' if listed['State'] in ('running', 'paused') else 'exited'}
    code = re.match(r'Exited \((-?\d+)\)', status)
    health = re.search(r'\((?:health: )?(starting|healthy|unhealthy)\)', status)
    if code:
        seen['exitCode'] = int(code.group(1))
    if health:
        seen['health'] = health.group(1)
    if unhealthy:
        seen['unhealthy'] = unhealthy
    return seen


def read(path):
    try:
        return open(path).read()
    except OSError:
        return None


def cpu_seconds():
    ticks = read('/sys/fs/cgroup/cpuacct/cpuacct.usage')
    if ticks:
        return int(ticks) / 1e9
    spent = re.search(r'^usage_usec (\d+)', read('/sys/fs/cgroup/cpu.stat') or '', re.M)
    return int(spent.group(1)) / 1e6 if spent else 0.0


def memory_used():
    for use, key, stat in (('/sys/fs/cgroup/memory.current', 'inactive_file', '/sys/fs/cgroup/memory.stat'),
                           ('/sys/fs/cgroup/memory/memory.usage_in_bytes', 'total_inactive_file',
                            '/sys/fs/cgroup/memory/memory.stat')):
        used = read(use)
        if used:
            cached = re.search('^%s (\\d+)' % key, read(stat) or '', re.M)
            return max(0, int(used) - (int(cached.group(1)) if cached else 0))
    info = dict(re.findall(r'^(\w+): +(\d+) kB', read('/proc/meminfo'), re.M))
    return (int(info['MemTotal']) - int(info['MemAvailable'])) * 1024


# Those that ended while nobody followed: the machine was off, or this script was.
def ended(listed):
    for one in listed:
        if one['State'] == 'exited' and 'berth.service' in one['Labels']:
            state = json.load(engine('/containers/%s/json' % one['Id']))['State']
            yield {'id': one['Id'], 'name': one['Names'][0].lstrip('/'), 'labels': ours(one['Labels']),
                   'exitCode': state['ExitCode'], 'time': state['FinishedAt']}


# Asks for another certificate beside the reports, which go on: the engine starts anew with it, containers stay.
def renew(going=[]):
    if going and going[0].poll() is None:
        return
    going[:] = [subprocess.Popen([sys.executable, os.path.abspath(__file__), 'renew'])]


# What Azure is about to do to this machine: https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
def metadata_events(approve=None):
    body = None if approve is None else json.dumps({'StartRequests': [{'EventId': one} for one in approve]}).encode()
    request = urllib.request.Request(SCHEDULED, body, {'Metadata': 'true', 'Content-Type': 'application/json'})
    # The first request of all has Azure begin to announce, which takes up to two minutes.
    with direct.open(request, timeout=130) as answer:
        return json.loads(answer.read() or '{}')


def follow_metadata():
    told = None
    while True:
        try:
            keys = ('EventId', 'EventType', 'Resources', 'EventStatus', 'NotBefore')
            events = [{key: one[key] for key in keys} for one in metadata_events()['Events']]
            if events or events != told:
                answer = json.loads(post('/scheduled-events', {'events': events}))
                told = events
                if answer['approve']:
                    metadata_events(answer['approve'])
        except Exception as error:
            log('scheduled events: %s' % error)
        time.sleep(2)


${agentLogs}
${agentWatch}

def follow():
    shipping = Shipping()
    shipping.start()
    threading.Thread(target=follow_metadata, daemon=True).start()
    heard = queue.Queue()
    threading.Thread(target=follow_events, args=(heard,), daemon=True).start()
    watch = Watch(heard)
    watch.start()
    died, wait, begun = [], 1, False
    spent, at = cpu_seconds(), time.monotonic()
    due = at
    while True:
        try:
            events = [heard.get(timeout=max(0, due - time.monotonic()))]
            while not heard.empty():
                events.append(heard.get())
            for event in events:
                if event['Action'] == 'start':
                    attributes = event['Actor']['Attributes']
                    shipping.add(event['Actor']['ID'], attributes['name'], attributes, fresh=True)
            died = (died + [death(event) for event in events if event['Action'] == 'die'])[-1000:]
            # Who started them knows that they run: many that start together make one report.
            if all(event['Action'] == 'start' for event in events):
                due = min(due, time.monotonic() + SOON)
                continue
        except queue.Empty:
            pass
        try:
            listed = json.load(engine('/containers/json', all='true', filters={'label': ['berth.environment']}))
            for one in listed:
                shipping.add(one['Id'], one['Names'][0].lstrip('/'), one['Labels'], running=one['State'] == 'running')
            shipping.forget({one['Id'] for one in listed})
            watch.follow(listed)
            sweep_files({one['Names'][0].lstrip('/') for one in listed})
            if not begun:
                died, begun = died + list(ended(listed)), True
            disk = os.statvfs('/var/lib/docker')
            before, since = spent, at
            spent, at = cpu_seconds(), time.monotonic()
            usage = {'cpu': round(max(0, spent - before) / max(at - since, 0.001), 3),
                     'memory': round(memory_used() / 2**20),
                     'disk': round((disk.f_blocks - disk.f_bfree) * disk.f_frsize / 2**20)}
            answer = post('/observations', {'time': now(), 'containers': [container(one, watch.told(one['Id'])) for one in listed],
                                            'usage': usage, 'died': died})
            wanted = json.loads(answer or '{}')
            if wanted.get('renewCertificate'):
                renew()
            if wanted.get('refreshNetwork'):
                subprocess.run(['systemctl', '--no-block', 'reload', 'berth-network.service'])
            died, wait, due = [], 1, time.monotonic() + EVERY
        except Exception as error:
            log('%s; again in %d s' % (error, wait))
            due, wait = time.monotonic() + wait, min(wait * 2, 30)


# Configs and secrets of containers that are gone. What was put there just now waits for its container.
def sweep_files(names):
    for folder in glob.glob('/run/berth/files/*'):
        own = folder + '/own'
        put = os.stat(own if os.path.exists(own) else folder).st_ctime
        if os.path.basename(folder) not in names and time.time() - put > 120:
            shutil.rmtree(folder, ignore_errors=True)


def answers():
    try:
        return engine('/version').status == 200
    except Exception:
        return False


# cloud-init has ended. Its errors may concern something else than the engine: whether that answers is told with them.
def boot():
    result = json.loads(read('/run/cloud-init/result.json') or '{}').get('v1')
    errors = ['cloud-init wrote no result'] if result is None else [str(one) for one in result.get('errors', [])]
    said = subprocess.run(['cloud-init', 'status', '--long'], capture_output=True, text=True).stdout
    status = re.search(r'^status: (\w+)', said, re.M)
    for _ in range(10):
        alive = answers()
        if alive:
            break
        time.sleep(1)
    report = {'status': status.group(1) if status else 'unknown', 'errors': [one[:500] for one in errors[:20]],
              'engine': alive}
    patiently(lambda: post('/boot', report))
    log('cloud-init: %s' % json.dumps(report))


if __name__ == '__main__':
    {'register': register, 'renew': lambda: register(True), 'follow': follow, 'boot': boot}[sys.argv[1]]()
`;
