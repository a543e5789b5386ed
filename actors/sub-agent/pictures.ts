/**
 * The pictures of a conversation, for the backend of the step. A conversation has them by reference; the latest few are put into a
 * request, within the limits of the backend, and all others are described in words (roster/history.ts). Invariants:
 * - A picture that cannot be sent takes nothing but itself from the request: its description says why.
 * - A picture that is small enough and of a format that every backend takes is sent as it is.
 */
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Message, Picture } from '../../machines/conversation.ts';
import { messageOf } from '../../platform/errors.ts';
import type { PictureLimits } from '../../roster/backend-schema.ts';
import type { ChatMessage } from '../../roster/conversation.ts';
import { tokensOfPicture } from '../../roster/tokens.ts';
import { type PictureHead, pictureHead } from '../tools/vision/format.ts';
import type { Reader } from '../tools/vision/reader.ts';

/** The part of a context that pictures may take, so that there is room for the conversation. */
const shareOfContext = 0.4;
/** A picture with fewer pixels shows nothing that could be read. */
const fewestPixels = 40_000;
/** Formats that every backend takes. */
const plainTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg']);
/** Kept for the next steps, which send the same pictures again: characters of data URLs. */
const maxKept = 32_000_000;

/** Which pictures a request has, and in what size. */
export interface Choice {
  /** null: none, because the backend takes none. */
  readonly limits: PictureLimits | null;
  /** The messages whose pictures are sent, with the indices of those. */
  readonly sent: ReadonlySet<Picture>;
  /** Their part of the context in tokens, by estimate. */
  readonly tokens: number;
}

/**
 * The latest pictures, each once, as many as the backend takes and its context has room for.
 * @param context tokens; null: unknown.
 */
export function choosePictures(messages: readonly Message[], limits: PictureLimits | undefined, context: number | null): Choice {
  if (!limits) return { limits: null, sent: new Set(), tokens: 0 };
  const room = roomFor(context);
  const fitting = fittingOf(limits, context);
  const sent = new Set<Picture>();
  const refs = new Set<string>();
  let tokens = 0;
  for (const picture of picturesIn(messages).toReversed()) {
    if (refs.has(picture.ref)) continue;
    const { width, height } = sizeWithin(picture, fitting);
    const more = tokensOfPicture(width * height);
    if (sent.size === limits.most || (sent.size > 0 && tokens + more > room)) break;
    refs.add(picture.ref);
    sent.add(picture);
    tokens += more;
  }
  return { limits: fitting, sent, tokens };
}

const roomFor = (context: number | null): number => (context ?? Number.POSITIVE_INFINITY) * shareOfContext;

/** The limits for a picture, so that it takes no more than its part of the context. */
export function fittingOf(limits: PictureLimits, context: number | null): PictureLimits {
  const most = Math.floor((roomFor(context) - tokensOfPicture(0)) * 750);
  return { ...limits, pixels: Math.max(fewestPixels, Math.min(limits.pixels, most)) };
}

const picturesIn = (messages: readonly Message[]): Picture[] =>
  messages.flatMap((message) => (message.role === 'tool' ? (message.images ?? []) : []));

/** The size of a picture after it was scaled to the limits; the reader does the same. */
function sizeWithin(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  { side, pixels }: Pick<PictureLimits, 'side' | 'pixels'>,
) {
  const factor = Math.min(1, side / Math.max(width, height), Math.sqrt(pixels / (width * height)));
  return { width: Math.max(1, Math.floor(width * factor)), height: Math.max(1, Math.floor(height * factor)) };
}

export class Pictures {
  readonly #artifacts: Artifacts;
  readonly #reader: Reader;
  /** Data URLs by ref and limits, the latest last. */
  readonly #kept = new Map<string, string>();

  constructor(artifacts: Artifacts, reader: Reader) {
    this.#artifacts = artifacts;
    this.#reader = reader;
  }

  /** The messages with the chosen pictures in them. @throws the signal's reason. */
  async into(messages: readonly ChatMessage[], { limits, sent }: Choice, signal: AbortSignal): Promise<ChatMessage[]> {
    if (!limits) return [...messages];
    const told = async (picture: Picture) => {
      if (!sent.has(picture)) return { ...picture, unseen: leftOut(picture, sent) };
      try {
        return { ...picture, data: await this.#data(picture, limits, signal) };
      } catch (cause) {
        signal.throwIfAborted();
        return { ...picture, unseen: `it cannot be sent (${messageOf(cause)})` };
      }
    };
    return Promise.all(
      messages.map(async (message) =>
        message.role === 'tool' && message.images ? { ...message, images: await Promise.all(message.images.map(told)) } : message,
      ),
    );
  }

  async #data({ ref }: Picture, limits: PictureLimits, signal: AbortSignal): Promise<string> {
    const key = JSON.stringify([ref, limits.side, limits.pixels, limits.bytes]);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const { bytes } = await this.#artifacts.readMade(ref);
    const data = await this.sendable(bytes, await pictureHead(ref, bytes), limits, signal);
    this.#keep(key, data);
    return data;
  }

  /** A data URL of the picture, scaled down to the limits. @throws Error that says why it cannot be scaled; the signal's reason. */
  async sendable(bytes: Uint8Array, head: PictureHead, limits: PictureLimits, signal: AbortSignal): Promise<string> {
    const fits =
      plainTypes.has(head.type) &&
      !head.turned &&
      bytes.byteLength <= limits.bytes &&
      sizeWithin(head, limits).width === head.width &&
      sizeWithin(head, limits).height === head.height;
    const picture = fits ? { type: head.type, bytes } : await this.#reader.scaled(bytes, limits, signal);
    return `data:${picture.type};base64,${Buffer.from(picture.bytes).toString('base64')}`;
  }

  #keep(key: string, data: string): void {
    this.#kept.set(key, data);
    let chars = [...this.#kept.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#kept) {
      if (chars <= maxKept) return;
      this.#kept.delete(oldest);
      chars -= length;
    }
  }
}

function leftOut({ ref }: Picture, sent: ReadonlySet<Picture>): string {
  const again = [...sent].some((picture) => picture.ref === ref);
  return again
    ? 'it is shown further below'
    : `only the latest ${sent.size === 1 ? 'picture is' : `${sent.size} pictures are`} sent`;
}
