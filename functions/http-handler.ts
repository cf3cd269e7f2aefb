import { Refused, RekeyError } from '../core/errors.ts';
import type { Ports } from '../core/ports.ts';
import { checkMedia, parseBody, textOfBody } from '../requests/body.ts';
import { httpStatus } from '../requests/http-status.ts';
import type { Message } from '../requests/senders/sender.ts';
import { compose, type Part } from './compose.ts';
import { type Invocation, logUnexpected } from './handler.ts';

/** What an HTTP API tells its function, payload format 2.0; only what we use of it. */
export interface ApiEvent {
  readonly rawPath?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly http: { readonly method: string };
    readonly authorizer?: { readonly iam?: { readonly accountId?: string; readonly userArn?: string } };
  };
}

export interface ApiAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a request comes to: its path without slashes at the ends, its JSON body, and who signed it. */
export interface SignedRequest {
  readonly path: string;
  readonly input: unknown;
  /** ARN of the IAM principal that signed the request. */
  readonly principal: string;
}

/**
 * The handler of routes with IAM authorisation: checks the request, names its principal, and answers
 * `{"result": …}` or `{"error": {code, name, message, problems}}`. An unexpected error answers 500 E_INTERNAL and no detail.
 */
export function httpHandler(
  name: string,
  parts: readonly Part[],
  answer: (ports: Ports, request: SignedRequest) => Promise<unknown>,
): (event: ApiEvent, invocation: Invocation) => Promise<ApiAnswer> {
  return handled(name, parts, async (ports, event, invocation) => answer(ports, signedRequest(event, invocation)));
}

/** What came to an address that asks for no identity of ours: its bytes as they were sent, and its headers. */
export interface OpenMessage {
  readonly path: string;
  readonly message: Message;
}

/** The handler of routes without authorisation: the answer checks the sender's own signature. Answers like the others. */
export function openHandler(
  name: string,
  parts: readonly Part[],
  answer: (ports: Ports, open: OpenMessage) => Promise<unknown>,
): (event: ApiEvent, invocation: Invocation) => Promise<ApiAnswer> {
  return handled(name, parts, async (ports, event) => {
    const { headers = {}, body = '', isBase64Encoded = false } = event;
    const raw = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    return answer(ports, { path: (event.rawPath ?? '').replace(/^\/+|\/+$/g, ''), message: { headers, raw } });
  });
}

function handled(
  name: string,
  parts: readonly Part[],
  answer: (ports: Ports, event: ApiEvent, invocation: Invocation) => Promise<unknown>,
): (event: ApiEvent, invocation: Invocation) => Promise<ApiAnswer> {
  const ports = compose(...parts);
  return async (event, invocation) => {
    try {
      return reply(200, { result: (await answer(ports(), event, invocation)) ?? null });
    } catch (error) {
      if (error instanceof Refused) {
        const { code, message, problems } = error;
        return reply(httpStatus[code], { error: { code, name: error.name, message, problems } });
      }
      if (error instanceof RekeyError && error.name.endsWith('Unavailable')) {
        return reply(503, { error: { code: 'E_UNREACHABLE', name: error.name, message: error.message, problems: [] } });
      }
      const { awsRequestId } = invocation;
      logUnexpected(error, name, awsRequestId, ports);
      return reply(500, { error: { code: 'E_INTERNAL', name: 'Error', message: `unexpected; request ${awsRequestId}`, problems: [] } });
    }
  };
}

function reply(statusCode: number, body: unknown): ApiAnswer {
  return { statusCode, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}

function signedRequest(event: ApiEvent, { invokedFunctionArn }: Invocation): SignedRequest {
  const { accountId, userArn } = event.requestContext.authorizer?.iam ?? {};
  if (!userArn) throw new Refused('E_CREDENTIALS', 'the request is not signed by an IAM principal');
  // Names of roles and users are unique in one account only, and ours is the one whose names the inventory means.
  if (accountId !== invokedFunctionArn.split(':')[4]) throw new Refused('E_WRONG_ACCOUNT', 'the request comes from another account');
  if (event.requestContext.http.method !== 'POST') throw new Refused('E_USAGE', 'every request is a POST');
  return { path: (event.rawPath ?? '').replace(/^\/+|\/+$/g, ''), input: bodyOf(event), principal: userArn };
}

function bodyOf({ headers = {}, body = '', isBase64Encoded }: ApiEvent): unknown {
  checkMedia(headers['content-type'], headers['content-encoding']);
  if (body === '') throw new Refused('E_INPUT_EMPTY', 'the body is empty');
  return parseBody(isBase64Encoded ? textOfBody(Buffer.from(body, 'base64')) : body);
}
