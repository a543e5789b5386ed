/** Estimates of token counts from a text. Only a model's tokenizer knows the exact count. */
import type { ModelRequest, Picture } from './conversation.ts';

/** No common tokenizer packs ordinary text more densely. */
const charsPerTokenAtMost = 8;

/** An estimate that is rather too high: letters of other scripts than Latin take more tokens than a quarter each. */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (let i = 0; i < text.length; i++) tokens += tokensOf(text.charCodeAt(i));
  return Math.ceil(tokens);
}

/** Number of UTF-16 units at the beginning of the text that take at most `maxTokens`, by estimate. */
export function unitsWithin(text: string, maxTokens: number): number {
  let tokens = 0;
  for (let i = 0; i < text.length; i++) {
    tokens += tokensOf(text.charCodeAt(i));
    if (tokens > maxTokens) return i;
  }
  return text.length;
}

/**
 * Tokens of one UTF-16 unit: a quarter for ASCII, half for alphabets (Latin with accents, Greek, Cyrillic, Hebrew, Arabic, Indic),
 * one for CJK, Kana, Hangul and each half of a surrogate pair, so that an emoji counts as two.
 */
function tokensOf(unit: number): number {
  if (unit < 0x80) return 0.25;
  return unit < 0x2000 ? 0.5 : 1;
}

type Prompt = Pick<ModelRequest, 'messages' | 'tools' | 'schema'>;

/** An estimate of the prompt's tokens: messages, tools and schema. */
export const estimatePrompt = (request: Prompt): number =>
  textsOf(request).reduce((sum, text) => sum + estimateTokens(text), 0) +
  request.messages.reduce((sum, message) => sum + ('images' in message ? tokensOfPictures(message.images) : 0), 0);

/** An estimate for a picture that is sent: vision models count a token for some 750 pixels, after their own scaling. */
export const tokensOfPicture = (pixels: number): number => 100 + Math.ceil(pixels / 750);

/** A data URL does not tell its pixels, so those count that all backends take. */
const tokensOfPictures = (pictures: readonly Picture[] = []): number =>
  pictures.reduce(
    (sum, { width, height, data }) => sum + (data === undefined ? 0 : tokensOfPicture(Math.min(width * height, usualPixels))),
    0,
  );
const usualPixels = 1_150_000;

/** A lower bound of the prompt's tokens: if even these do not fit, the call cannot succeed. */
export const leastPrompt = (request: Prompt): number =>
  Math.floor(textsOf(request).reduce((sum, { length }) => sum + length, 0) / charsPerTokenAtMost);

const textsOf = ({ messages, tools, schema }: Prompt): string[] => [
  ...messages.flatMap((message) => [
    message.text,
    ...(message.role === 'assistant' && message.calls ? [JSON.stringify(message.calls)] : []),
  ]),
  ...(tools ? [JSON.stringify(tools)] : []),
  ...(schema ? [JSON.stringify(schema.json)] : []),
];
