/**
 * Fetches the files of BERTH_FILES (`FetchedFile` as JSON) into the present folder, Python 3 with its standard library alone.
 * Scripts among them lose the line ends of Windows if BERTH_CONVERT says `yes`. Holds no line `BERTH_END`.
 */
export const fetchOnLinux = String.raw`
import json, os, sys, time, urllib.error, urllib.parse, urllib.request

TOKEN = ('http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource='
         + urllib.parse.quote('https://storage.azure.com/', safe=''))


def token(identity):
    request = urllib.request.Request(TOKEN + ('&' + identity if identity else ''), headers={'Metadata': 'true'})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)['access_token']


def fetch(one):
    headers = {}
    if 'identity' in one:
        headers = {'Authorization': 'Bearer ' + token(one['identity']), 'x-ms-version': '2021-12-02'}
    with urllib.request.urlopen(urllib.request.Request(one['url'], headers=headers), timeout=60) as answer:
        data = answer.read()
    text = data[3:] if data.startswith(b'\xef\xbb\xbf') else data
    if os.environ['BERTH_CONVERT'] == 'yes' and text.startswith(b'#!'):
        data = text.replace(b'\r\n', b'\n')
    with os.fdopen(os.open(one['name'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), 'wb') as file:
        file.write(data)


for one in json.loads(os.environ['BERTH_FILES']):
    for attempt in range(5):
        try:
            fetch(one)
            break
        except Exception as error:
            final = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if final or attempt == 4:
                sys.exit('%s could not be fetched: %s' % (one['url'].split('?')[0], error))
            time.sleep(2 ** attempt)
`;

/** The same in Windows PowerShell 5.1, of $files. */
export const fetchOnWindows = String.raw`
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
foreach ($one in $files) {
  $headers = @{}
  if ($null -ne $one.identity) {
    $query = 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F'
    if ($one.identity -ne '') { $query += '&' + $one.identity }
    $answer = Invoke-RestMethod -Uri $query -Headers @{ Metadata = 'true' }
    $headers = @{ Authorization = 'Bearer ' + $answer.access_token; 'x-ms-version' = '2021-12-02' }
  }
  for ($attempt = 0; ; $attempt++) {
    try {
      Invoke-WebRequest -UseBasicParsing -Uri $one.url -Headers $headers -OutFile $one.name
      break
    } catch {
      if ($attempt -eq 4) { throw ('{0} could not be fetched: {1}' -f ($one.url -split '\?')[0], $_.Exception.Message) }
      Start-Sleep -Seconds ([Math]::Pow(2, $attempt))
    }
  }
}
`;
