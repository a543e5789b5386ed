/**
 * Masks secrets, which must never appear in a log, an event or an error: by the name of their field, and by their form. A
 * stranger may have written the text, so every pattern takes time that is linear in its length: a repetition is bounded, or can
 * begin at one place only.
 */

const fields = ['key', 'apiKey', 'api_key', 'authorization', 'password', 'pass', 'token', 'credentials', 'secret', 'seed'];

/** Names of fields whose values are secrets, in lower case. */
export const secretNames: ReadonlySet<string> = new Set(fields.map((name) => name.toLowerCase()));

/** Paths for pino's `redact`, which also masks values that are not strings. Wildcards cost time, so they cover three levels. */
export const secretFields: string[] = fields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export const mask = '[Redacted]';

const fieldNames = new Set(fields.map((name) => name.toLowerCase()));
/** Whether a value under this name is a secret, whatever its form. */
export const isSecretField = (name: string): boolean => fieldNames.has(name.toLowerCase());

/** Matches string fields with these names at any depth of a JSON text. */
const named = new RegExp(`("(?:${fields.join('|')})":)"(?:[^"\\\\]|\\\\.)*"`, 'gi');

const looks: readonly (readonly [RegExp, string])[] = [
  // Authorization headers.
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${mask}`],
  // API keys with the prefixes of model providers.
  [/\b(sk|pk|rk|xai|gsk|hf|ghp)[-_][\w-]{12,}/g, mask],
  // User and password in a URL.
  [/([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/"'@]{1,1024}@/gi, `$1${mask}@`],
  // JSON web tokens, which NATS credentials contain, and nkey seeds.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]+)?/g, mask],
  [/\bS[UAOCNX][A-Z2-7]{56}\b/g, mask],
];

/** Masks the secrets in a text or in one line of JSON, which stays valid JSON. */
export function maskSecrets(text: string): string {
  let masked = text.replace(named, `$1"${mask}"`);
  for (const [look, instead] of looks) masked = masked.replace(look, instead);
  return masked;
}
