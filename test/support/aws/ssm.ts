import { AwsError, type FakeService, serve } from './server.ts';

interface Parameter {
  text: string;
  type: string;
  version: number;
}

export interface FakeParameterStore extends FakeService {
  readonly parameters: Map<string, Parameter>;
}

/** Systems Manager's Parameter Store after the API reference: overwrite, types, size of the standard tier. */
export async function fakeParameterStore(): Promise<FakeParameterStore> {
  const parameters = new Map<string, Parameter>();
  const service = await serve('json', ({ action, input }) => {
    const name = String(input.Name);
    const found = parameters.get(name);
    if (action === 'GetParameter') {
      if (!found) throw new AwsError('ParameterNotFound');
      const text = found.type === 'SecureString' && input.WithDecryption !== true ? 'encrypted' : found.text;
      return { Parameter: { Name: name, Type: found.type, Value: text, Version: found.version } };
    }
    if (action !== 'PutParameter') throw new AwsError('UnknownOperationException');
    if (!/^[A-Za-z0-9_.\-/]{1,2048}$/.test(name)) throw new AwsError('ValidationException', 'Invalid name.');
    if (found && input.Overwrite !== true) throw new AwsError('ParameterAlreadyExists');
    if (Buffer.byteLength(String(input.Value)) > 4096)
      throw new AwsError('ValidationException', 'Standard tier parameters hold 4096 characters.');
    const type = String(input.Type ?? found?.type);
    parameters.set(name, { text: String(input.Value), type, version: (found?.version ?? 0) + 1 });
    return { Version: parameters.get(name)?.version };
  });
  return Object.assign(service, { parameters });
}
