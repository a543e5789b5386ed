/** The HTTP side of the model process: authorisation, paths and errors. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { ChatRequest, Refused } from './chat-request.ts';
import { type Completion, complete, planOf } from './completion.ts';
import { type Engine, PromptTooLong } from './engine.ts';
import { SchemaUnsupported } from './grammar.ts';
import { JsonReply, StreamReply } from './reply.ts';
import { Slot } from './slot.ts';

export interface RouteOptions {
  readonly key: string;
  readonly modelName: string;
}

const maxBodyBytes = 8 * 1024 * 1024;

class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function chatRoutes(engine: Engine, { key, modelName }: RouteOptions): RequestListener {
  const slot = new Slot();
  const expected = digest(`Bearer ${key}`);

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://loopback').pathname;
    if (request.method === 'GET' && path === '/health')
      return sendJson(response, 200, { status: 'ok', waiting: slot.waiting, tokens: engine.tokens });
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) {
      throw new HttpError(401, 'invalid_api_key', 'the bearer key is not the one of this run');
    }
    if (request.method === 'GET' && path === '/v1/models') {
      return sendJson(response, 200, {
        object: 'list',
        data: [{ id: modelName, object: 'model', created: 0, owned_by: 'coxswain' }],
      });
    }
    if (request.method === 'POST' && path === '/v1/chat/completions') return chat(request, response);
    throw new HttpError(404, 'not_found', `there is no ${request.method} ${path} here`);
  }

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    // Before the end of the reply, 'close' means that the client left: no one waits for the rest, so the model stops.
    response.once('close', () => gone.abort(new Error('the client left')));
    const asked = ChatRequest.parse(await bodyOf(request));
    const plan = planOf(asked, engine);
    const completion: Completion = {
      id: `chatcmpl-${crypto.randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: modelName,
    };
    const reply = asked.stream
      ? new StreamReply(response, completion, asked.stream_options?.include_usage ?? false)
      : new JsonReply(response, completion);
    const release = await slot.take(gone.signal);
    try {
      await complete(engine, plan, gone.signal, reply);
    } finally {
      release();
    }
  }

  return (request, response) => {
    route(request, response).catch((error: unknown) => fail(response, error));
  };
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.writableEnded) return;
  const { status, code, message } = asHttpError(error);
  const body = { error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', code, param: null } };
  if (status >= 500) console.error(error);
  // A stream that has begun can report its failure only within the stream.
  if (response.headersSent) response.end(`data: ${JSON.stringify(body)}\n\n`);
  else sendJson(response, status, body);
}

function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof Refused) return new HttpError(400, error.code, error.message);
  if (error instanceof PromptTooLong) return new HttpError(400, 'context_length_exceeded', error.message);
  if (error instanceof SchemaUnsupported) return new HttpError(400, 'schema_unsupported', error.message);
  if (error instanceof z.ZodError) return new HttpError(400, 'invalid_request', z.prettifyError(error));
  return new HttpError(500, 'internal', error instanceof Error ? error.message : String(error));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new HttpError(413, 'too_large', `the request is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new HttpError(400, 'invalid_json', `the request is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
