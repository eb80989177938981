/**
 * The part of the guest's agent that speaks to storage: scripts and files that it downloads, and output that it appends to
 * blobs while the script runs, by SAS or by the machine's identity.
 */
export const guestTransfers = String.raw`def without_query(uri):
    return uri.split('?')[0]


def token(identity):
    query = METADATA + urllib.parse.quote('https://storage.azure.com/', safe='')
    for member, name in (('clientId', 'client_id'), ('objectId', 'object_id')):
        if identity.get(member):
            query += '&%s=%s' % (name, identity[member])
    with direct.open(urllib.request.Request(query, headers={'Metadata': 'true'}), timeout=30) as answer:
        return json.load(answer)['access_token']


# Shared Key of a GET: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
def shared_key(uri, account, key):
    date = email.utils.formatdate(usegmt=True)
    text = 'GET' + '\n' * 12 + 'x-ms-date:%s\nx-ms-version:%s\n/%s%s' % (date, STORAGE_VERSION, account,
                                                                    urllib.parse.urlsplit(uri).path)
    signature = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return {'x-ms-date': date, 'Authorization': 'SharedKey %s:%s' % (account, base64.b64encode(signature).decode())}


def storage_headers(identity, uri=''):
    if identity is None:
        return {}
    if 'accountKey' in identity:
        return shared_key(uri, identity['account'], identity['accountKey'])
    return {'Authorization': 'Bearer ' + token(identity)}


# Storage that is away for a moment must not lose output; what it refuses stays refused.
def send(method, uri, data, headers, seconds):
    until = time.monotonic() + seconds
    while True:
        try:
            request = urllib.request.Request(uri, data, dict({'x-ms-version': STORAGE_VERSION}, **headers), method=method)
            with direct.open(request, timeout=30) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            text = '%s %s' % (error.code, error.headers.get('x-ms-error-code') or error.reason)
            if error.code < 500 or time.monotonic() > until:
                raise Unable(text)
        except OSError as error:
            if time.monotonic() > until:
                raise Unable(str(error))
        time.sleep(0.5)


def download(uri, identity, target):
    try:
        data, _ = send('GET', uri, None, storage_headers(identity, uri), 30)
    except Unable as error:
        raise Unable('failed to download %s: %s' % (without_query(uri), error))
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), 'wb') as file:
        file.write(data)


# A script written on Windows: its byte order mark and its line ends.
def converted(data):
    data = data[3:] if data.startswith(b'\xef\xbb\xbf') else data
    return data.replace(b'\r\n', b'\n')


def convert(name):
    with open(name, 'rb') as file:
        data = file.read()
    if data.lstrip(b'\xef\xbb\xbf').startswith(b'#!'):
        with open(name, 'wb') as file:
            file.write(converted(data))


class Upload:
    def __init__(self, target, name):
        self.uri, self.identity, self.name, self.position, self.fault = target['uri'], target.get('identity'), name, 0, None
        try:
            send('PUT', self.uri, b'', dict(storage_headers(self.identity), **{'x-ms-blob-type': 'AppendBlob'}), 30)
        except Unable as error:
            raise Unable("Error creating AppendBlob '%s' using SAS token or Managed identity: %s. Please use a valid blob "
                         "SAS URI with [read, append, create, write] permissions OR managed identity."
                         % (without_query(self.uri), error))

    # The position makes a repeated block harmless: storage refuses one that is there already.
    def push(self, seconds=5):
        with open(path(self.name), 'rb') as file:
            while True:
                file.seek(self.position)
                block = file.read(BLOCK)
                if not block:
                    return
                mark = '&' if '?' in self.uri else '?'
                headers = dict(storage_headers(self.identity), **{'x-ms-blob-condition-appendpos': str(self.position)})
                try:
                    send('PUT', self.uri + mark + 'comp=appendblock', block, headers, seconds)
                except Unable as error:
                    if 'AppendPositionConditionNotMet' not in str(error):
                        self.fault = 'output could not be written to %s: %s' % (without_query(self.uri), error)
                        return
                    _, found = send('HEAD', self.uri, None, storage_headers(self.identity), seconds)
                    self.position = int(found['Content-Length'])
                    continue
                self.position += len(block)
                self.fault = None


`;
