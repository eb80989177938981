/**
 * The part of the agent that gets the machine its certificate: a key that never leaves it, and a request that the app signs
 * once Azure has said which machine it is.
 */
export const agentRegister = `def private_address():
    app = urllib.parse.urlsplit(APP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((app.hostname, app.port or 443))
        return probe.getsockname()[0]


def write(path, text, mode):
    with os.fdopen(os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + '.new', path)


def certified():
    check = ['openssl', 'x509', '-checkend', str(RENEW_BEFORE), '-noout', '-in', TLS + '/cert.pem']
    return os.path.exists(TLS + '/cert.pem') and subprocess.run(check, capture_output=True).returncode == 0


def host_keys():
    words = [(read(path) or '').split()[:2] for path in sorted(glob.glob('/etc/ssh/ssh_host_*_key.pub'))]
    return [' '.join(key) for key in words if len(key) == 2][:10]


def register(anew=False):
    if certified() and not anew:
        return
    os.umask(0o077)
    os.makedirs(TLS, exist_ok=True)
    address = patiently(private_address)
    subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-keyout', TLS + '/key.pem.new', '-out', TLS + '/csr.pem', '-subj', '/CN=' + MACHINE,
                    '-addext', 'subjectAltName=DNS:%s,IP:%s' % (MACHINE, address)], check=True, capture_output=True)
    request = {'csr': open(TLS + '/csr.pem').read(), 'hostKeys': host_keys()}
    renewal = os.path.exists(TLS + '/cert.pem')
    ask = lambda: json.loads(post('/registration', request))
    # The engine waits for this unit at boot: with a certificate that is still good it need not wait for the app.
    answer = ask() if renewal else patiently(ask)
    os.rename(TLS + '/key.pem.new', TLS + '/key.pem')
    write(TLS + '/ca.pem', answer['ca'], 0o644)
    write(TLS + '/cert.pem', answer['certificate'], 0o644)
    log('registered as %s, %s' % (MACHINE, address))
    if renewal:
        subprocess.run(['systemctl', '--no-block', 'try-restart', 'docker.service'])


`;
