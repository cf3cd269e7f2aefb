/**
 * The address of an HTTP API as the tests can reach it. An emulator names its API by a host that exists nowhere, and serves the same under a
 * path of its own address; AWS's own addresses stay as they are.
 */
export function reachableUrl(apiUrl: string, endpointUrl = process.env['AWS_ENDPOINT_URL']): string {
  const id = /^https?:\/\/([a-z0-9]+)\.execute-api\./.exec(apiUrl)?.[1];
  return (endpointUrl && id ? `${endpointUrl}/_aws/execute-api/${id}` : apiUrl).replace(/\/$/, '');
}
