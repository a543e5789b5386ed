/**
 * A collector: an HTTP server that takes OTLP as protobuf and decodes it. The numbers of fields are those of the files trace.proto
 * and metrics.proto of opentelemetry-proto.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** The fields of a message by their numbers, each with all its values. */
type Fields = Map<number, (bigint | Uint8Array)[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = view.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < view.length) {
    const key = Number(varint());
    const wire = key & 7;
    let value: bigint | Uint8Array;
    if (wire === 0) value = varint();
    else if (wire === 1) {
      value = view.readBigUInt64LE(at);
      at += 8;
    } else if (wire === 5) {
      value = BigInt(view.readUInt32LE(at));
      at += 4;
    } else if (wire === 2) {
      const length = Number(varint());
      value = view.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${wire} is not known`);
    const number = key >> 3;
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const parts = (fields: Fields, number: number): Fields[] => (fields.get(number) ?? []).map((it) => fieldsOf(it as Uint8Array));
const bytesOf = (fields: Fields, number: number): Buffer => Buffer.from((fields.get(number)?.[0] as Uint8Array) ?? []);
const textOf = (fields: Fields, number: number): string => bytesOf(fields, number).toString('utf8');
const hexOf = (fields: Fields, number: number): string => bytesOf(fields, number).toString('hex');
const intOf = (fields: Fields, number: number): bigint => (fields.get(number)?.[0] as bigint) ?? 0n;
function doubleOf(fields: Fields, number: number): number {
  const bits = Buffer.alloc(8);
  bits.writeBigUInt64LE(intOf(fields, number));
  return bits.readDoubleLE();
}

type Value = string | boolean | number | Value[];
function valueIn(any: Fields): Value {
  if (any.has(1)) return textOf(any, 1);
  if (any.has(2)) return intOf(any, 2) === 1n;
  if (any.has(3)) return Number(BigInt.asIntN(64, intOf(any, 3)));
  if (any.has(4)) return doubleOf(any, 4);
  return parts(fieldsOf(bytesOf(any, 5)), 1).map(valueIn);
}
const attributesOf = (fields: Fields, number: number): Record<string, Value> =>
  Object.fromEntries(parts(fields, number).map((pair) => [textOf(pair, 1), valueIn(parts(pair, 2)[0] ?? new Map())]));

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Record<string, Value>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  readonly error: string;
  readonly resource: Record<string, Value>;
}
export interface ReceivedPoint {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Record<string, Value>;
  /** The value of a counter, the sum of a histogram. */
  readonly value: number;
}

const msOf = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);

const spansOf = (body: Uint8Array): ReceivedSpan[] =>
  parts(fieldsOf(body), 1).flatMap((group) => {
    const resource = attributesOf(parts(group, 1)[0] ?? new Map(), 1);
    return parts(group, 2).flatMap((scope) =>
      parts(scope, 2).map((span) => {
        const status = parts(span, 15)[0] ?? new Map();
        return {
          ...{ traceId: hexOf(span, 1), spanId: hexOf(span, 2), parentSpanId: hexOf(span, 4), name: textOf(span, 5) },
          ...{ kind: Number(intOf(span, 6)), startMs: msOf(intOf(span, 7)), endMs: msOf(intOf(span, 8)) },
          attributes: attributesOf(span, 9),
          links: parts(span, 13).map((link) => ({ traceId: hexOf(link, 1), spanId: hexOf(link, 2) })),
          ...{ failed: intOf(status, 3) === 2n, error: textOf(status, 2), resource },
        };
      }),
    );
  });

const pointsOf = (body: Uint8Array): ReceivedPoint[] =>
  parts(fieldsOf(body), 1)
    .flatMap((group) => parts(group, 2))
    .flatMap((scope) => parts(scope, 2))
    .flatMap((metric) => {
      const head = { name: textOf(metric, 1), unit: textOf(metric, 3) };
      const sums = parts(metric, 7).flatMap((sum) => parts(sum, 1));
      const histograms = parts(metric, 9).flatMap((histogram) => parts(histogram, 1));
      return [
        ...sums.map((point) => ({
          ...head,
          attributes: attributesOf(point, 7),
          value: point.has(6) ? Number(intOf(point, 6)) : doubleOf(point, 4),
        })),
        ...histograms.map((point) => ({ ...head, attributes: attributesOf(point, 9), value: doubleOf(point, 5) })),
      ];
    });

export class OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[] = [];
  points: ReceivedPoint[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** Answers instead of the collector; false: it takes the request after all. */
  misbehave: ((response: ServerResponse) => boolean) | null = null;
  readonly #stop: () => Promise<void>;
  #waiting: (() => void)[] = [];

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<OtlpReceiver> {
    let self: OtlpReceiver | null = null;
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      self!.#take(request.url ?? '', request.headers, body, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    self = new OtlpReceiver(`http://127.0.0.1:${port}`, async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    return self;
  }

  #take(path: string, headers: IncomingHttpHeaders, body: Uint8Array, response: ServerResponse): void {
    this.headers.push(headers);
    const isTaken = !this.misbehave?.(response);
    if (isTaken) this.#keep(path, body);
    if (isTaken) response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    this.#tell();
  }

  #keep(path: string, body: Uint8Array): void {
    if (path === '/v1/traces') this.spans.push(...spansOf(body));
    if (path === '/v1/metrics') this.points = pointsOf(body);
  }

  #tell(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Resolves when the spans so far satisfy the test. */
  async until<T>(found: (spans: readonly ReceivedSpan[]) => T | undefined | false): Promise<T> {
    for (;;) {
      const it = found(this.spans);
      if (it) return it;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves at the next request. */
  request(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}
