/**
 * The two files of a crew with roles. The file of a member has all that the member needs to join: who it is, its secret key, and
 * the list of members as of its invitation. The file of the keeper has the key of the crew, which makes members.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { readSmallSync } from '../../platform/small-file.ts';
import { describe } from '../parse-message.ts';
import { MemberList, MemberName } from './members.ts';

/** Thousands of members. */
const mostBytes = 4 * 2 ** 20;

const Seed = z.string().regex(/^S[AOU][A-Z2-7]{56}$/, 'must be an nkey seed');

export const MemberFile = z.object({
  crew: z.string().describe('Public key of the crew. It signs the list of members.'),
  namespace: z.string(),
  url: z.string().optional().describe('The servers, as in NATS_URL, which takes precedence.'),
  name: MemberName,
  seed: Seed,
  jwt: z.string().optional().describe('The login at a server with decentralized JWTs. Without it the nkey alone logs in.'),
  list: MemberList,
});
export type MemberFile = z.infer<typeof MemberFile>;

export const KeeperFile = z.object({
  namespace: z.string(),
  url: z.string().optional(),
  seed: Seed.describe('The key of the crew.'),
  jwt: z
    .object({ since: z.iso.datetime(), operator: Seed, system: Seed, crew: Seed, desk: Seed })
    .optional()
    .describe('Seeds of the NATS operator and its accounts, for a crew with decentralized JWTs.'),
  list: MemberList,
});
export type KeeperFile = z.infer<typeof KeeperFile>;

/**
 * The file that COX_CREW names, else `crew.json` in the folder of the configuration.
 * @returns null if there is none: the crew has no roles. @throws CoxError `bad-crew-file`.
 */
export function findMemberFile(env: NodeJS.ProcessEnv, configFolder: string): MemberFile | null {
  const named = env.COX_CREW?.trim();
  const path = named || join(configFolder, 'crew.json');
  return readCrewFile(MemberFile, path, !named);
}

/** @returns null if there is no such file and it `mayLack`. @throws CoxError `bad-crew-file`. */
export function readCrewFile<T>(schema: z.ZodType<T>, path: string, mayLack = false): T | null {
  const bad = (why: string, cause?: unknown) =>
    new CoxError('bad-crew-file', `The crew file ${path} cannot be used: ${why}`, {
      hint: 'Ask the keeper of the crew for a new one (cox crew invite), or name another one in COX_CREW.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(readSmallSync(path, mostBytes).toString('utf8'));
  } catch (cause) {
    if (mayLack && (cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    // A parser's message quotes the file, which has a secret in it.
    throw bad(
      cause instanceof SyntaxError ? 'it is not JSON' : messageOf(cause),
      cause instanceof SyntaxError ? undefined : cause,
    );
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw bad(describe(parsed.error));
  return parsed.data;
}

/** Writes a file that only its owner can read, and replaces an earlier one as a whole. */
export function writeSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.draft`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}
