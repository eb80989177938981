import { guestTransfers } from './guest-transfers.ts';

/**
 * What runs scripts inside a machine, Python 3 with its standard library alone; it stands for Azure's VM agent and the
 * handlers of Run Command and CustomScript. Called with a verb and the folder of one execution:
 *
 * - `start`: the request as JSON on standard input (`ScriptRequest` of guest.ts). Begins in the background; the same folder
 *   again changes nothing, so that a script never runs twice.
 * - `state`: prints the state as JSON (`ScriptState`). Who runs a script holds a lock: where nobody does and no end was
 *   written, the machine was restarted meanwhile.
 * - `stop`: kills it. - `remove`: kills it and removes the folder.
 *
 * SOURCE holds this text where it is not run from a file. MACHINE_ROOT is put before every path; machines have none, tests do.
 */
export const guestAgent = String.raw`
import base64, email.utils, fcntl, gzip, hashlib, hmac, json, os, pwd, shutil, signal, subprocess, sys, time
import urllib.error, urllib.parse, urllib.request
from datetime import datetime, timezone

ROOT = os.environ.get('MACHINE_ROOT', '')
VERB, NAMED = sys.argv[1], sys.argv[2]
FOLDER = ROOT + NAMED
UNIT = 'run-command-' + hashlib.sha256(NAMED.encode()).hexdigest()[:24]
METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource='
STORAGE_VERSION, BLOCK, TAIL = '2021-12-02', 4 * 1024 * 1024, 4096
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Unable(Exception):
    pass


def path(name):
    return os.path.join(FOLDER, name)


def now():
    return datetime.now(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def read(name):
    with open(path(name)) as file:
        return json.load(file)


def write(name, value):
    with os.fdopen(os.open(path(name) + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path(name) + '.new', path(name))


def lock():
    held = open(path('lock'), 'a')
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return held
    except OSError:
        held.close()
        return None


def log(request, text):
    name = ROOT + request['log']
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, 'a') as file:
        file.write('%s folder=%s %s\n' % (now(), NAMED, text))


${guestTransfers}def decoded(text):
    data = base64.b64decode(text, validate=True)
    return gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data


# What is run: program and arguments.
def prepare(request):
    for one in request.get('files', []):
        target = path(os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(one['uri']).path)) or 'file')
        download(one['uri'], one.get('identity'), target)
        if request.get('dos2unix'):
            convert(target)
    if 'command' in request:
        return ['/bin/sh', '-c', request['command']]
    script = path('script.sh')
    if 'scriptUri' in request:
        download(request['scriptUri'], request.get('scriptIdentity'), script)
    else:
        data = decoded(request['script'])
        with os.fdopen(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), 'wb') as file:
            file.write(data)
    if request.get('dos2unix', True):
        with open(script, 'rb') as file:
            data = file.read()
        with open(script, 'wb') as file:
            file.write(converted(data))
    user = request.get('user')
    line = script
    if user:
        try:
            found = pwd.getpwnam(user)
        except KeyError:
            raise Unable("Failed to lookup RunAs user '%s'. Looks like user does not exist." % user)
        folder = '%s/home/%s/waagent/run-command-handler-runas%s' % (ROOT, user, NAMED[len('/var/lib/waagent/run-command-handler'):])
        os.makedirs(folder, 0o755, exist_ok=True)
        line = os.path.join(folder, 'script.sh')
        shutil.copyfile(script, line)
        os.chown(line, found.pw_uid, os.getegid())
        os.chmod(line, 0o550)
        line = 'sudo -n -u %s %s' % (user, line)
    # As the handler does: unnamed parameters are words of a shell line.
    return ['/bin/bash', '-c', ' '.join([line] + request.get('arguments', []))]


# What the VM's agent reads of an extension's handler.
def report(request, state):
    if 'statusFile' not in request:
        return
    name = ROOT + request['statusFile']
    over = state['state'] not in ('Pending', 'Running')
    status = 'transitioning' if not over else 'success' if state['state'] == 'Succeeded' else 'error'
    message = 'Enable in progress'
    if over:
        begin = 'Enable succeeded: ' if status == 'success' else 'Enable failed: failed to execute command: ' + state['message']
        message = '%s\n[stdout]\n%s\n[stderr]\n%s' % (begin, tail('stdout'), tail('stderr'))
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, 'w') as file:
        json.dump([{'version': 1, 'timestampUTC': now(), 'status': {
            'operation': 'Enable', 'status': status, 'formattedMessage': {'lang': 'en', 'message': message}}}], file)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run():
    held = lock()
    state = read('state')
    if held is None or state['state'] != 'Pending':
        return
    request = read('request')
    state.update(state='Running', startTime=now())
    write('state', state)
    log(request, 'event=start')
    report(request, state)
    try:
        uploads = [Upload(request[name + 'Blob'], name) for name in ('stdout', 'stderr') if name + 'Blob' in request]
        line = prepare(request)
        environment = dict(os.environ, **request.get('environment', {}))
        environment.pop('MACHINE_ROOT', None)
        # Protected values are in it: from here on nobody needs it.
        write('request', {'log': request['log']})
        with open(path('stdout'), 'ab') as out, open(path('stderr'), 'ab') as err:
            process = subprocess.Popen(line, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment, start_new_session=True)
        write('process', {'group': process.pid, 'runner': os.getpid()})
        begun = time.monotonic()
        timed_out = False
        while True:
            spent = time.monotonic() - begun
            try:
                process.wait(min(0.3 if spent < 60 else 2, max(0.01, request['timeout'] - spent)))
                break
            except subprocess.TimeoutExpired:
                pass
            for upload in uploads:
                upload.push()
            if time.monotonic() - begun >= request['timeout']:
                timed_out = True
                end_group(process)
                break
        for upload in uploads:
            upload.push(60)
        code = process.returncode
        faults = [upload.fault for upload in uploads if upload.fault]
        if timed_out:
            message = 'The script did not end within %d seconds and was ended.' % request['timeout']
            state.update(state='TimedOut', exitCode=-1, message=message)
        else:
            # Ended by a signal: as shells count.
            code = 128 - code if code < 0 else code
            message = 'Execution completed' if code == 0 else 'command terminated with exit status=%d' % code
            state.update(state='Succeeded' if code == 0 else 'Failed', exitCode=code, message='; '.join([message] + faults))
    except Exception as error:
        state.update(state='Failed', exitCode=-1 if isinstance(error, Unable) else -2,
                     message=str(error) if isinstance(error, Unable) else 'the handler failed: %r' % error)
    state.update(endTime=now())
    write('request', {'log': request['log']})
    write('state', state)
    report(request, state)
    log(request, 'event=end state=%s exitCode=%s' % (state['state'], state['exitCode']))


def systemd():
    return ROOT == '' and os.path.isdir('/run/systemd/system')


def start():
    request = json.load(sys.stdin)
    os.umask(0o077)
    os.makedirs(FOLDER, exist_ok=True)
    if not os.path.exists(path('state')):
        for name in ('stdout', 'stderr'):
            open(path(name), 'a').close()
        with open(path('agent.py'), 'w') as file:
            file.write(SOURCE)
        write('request', request)
        write('state', {'state': 'Pending', 'exitCode': 0, 'message': '', 'boot': boot()})
    if read('state')['state'] != 'Pending':
        return
    program = [sys.executable or '/usr/bin/python3', path('agent.py'), 'run', NAMED]
    if systemd():
        # KillMode: what a script leaves in the background goes on, as on Azure.
        begun = subprocess.run(['systemd-run', '--quiet', '--collect', '--unit=' + UNIT, '--property=KillMode=process'] + program,
                               capture_output=True, text=True)
        if begun.returncode != 0 and 'already' not in begun.stderr:
            raise SystemExit(begun.stderr)
    else:
        subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)
    for _ in range(100):
        if read('state')['state'] != 'Pending':
            return
        time.sleep(0.05)


def boot():
    with open('/proc/sys/kernel/random/boot_id') as file:
        return file.read().strip()


def tail(name):
    try:
        with open(path(name), 'rb') as file:
            file.seek(max(0, os.path.getsize(path(name)) - TAIL))
            return file.read().decode('utf-8', 'replace')
    except FileNotFoundError:
        return ''


def state():
    if not os.path.exists(path('state')):
        return {'state': 'Unknown', 'exitCode': 0, 'message': 'The machine knows nothing of it.'}
    found = read('state')
    if found['state'] in ('Pending', 'Running'):
        held = lock()
        # Between the two looks it may have ended; and who stops it says himself how it ends.
        found = read('state')
        if held is not None and found['state'] == 'Running' and not os.path.exists(path('stopping')):
            found.update(state='Failed', exitCode=-1, endTime=now(),
                         message='The script was interrupted: the machine or its agent was restarted while it ran.')
            write('state', found)
    return dict(found, output=tail('stdout'), error=tail('stderr'))


def stop():
    if not os.path.exists(path('state')):
        return
    open(path('stopping'), 'a').close()
    if systemd():
        subprocess.run(['systemctl', 'stop', UNIT + '.service'], capture_output=True)
    if os.path.exists(path('process')):
        runner = read('process')
        held = lock()
        kill = [(os.killpg, runner['group'])] if read('state')['state'] == 'Running' else []
        # Its runner first: it would take the script's death for an end.
        for end, which in ([(os.kill, runner['runner'])] if held is None else []) + kill:
            try:
                end(which, signal.SIGKILL)
            except ProcessLookupError:
                pass
    found = read('state')
    if found['state'] in ('Pending', 'Running'):
        found.update(state='Canceled', exitCode=-1, endTime=now(), message='The script was canceled.')
        write('state', found)


def main():
    if VERB == 'start':
        start()
    elif VERB == 'run':
        run()
    elif VERB == 'state':
        print(json.dumps(state()))
    elif VERB == 'stop':
        stop()
    elif VERB == 'remove':
        stop()
        shutil.rmtree(FOLDER, ignore_errors=True)


main()
`;
