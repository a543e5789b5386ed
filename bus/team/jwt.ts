/**
 * Decentralized logins: the server knows one NATS operator and two accounts, and a member shows a JWT that its account has signed.
 * So an invitation changes nothing at the server, and a revocation changes the JWT of one account. The JWTs have the format of
 * NATS (version 2). This file writes only the claims that a crew needs.
 */
import { createHash } from 'node:crypto';
import type { Subjects } from '../subjects.ts';
import type { Member, MemberList } from './members.ts';
import { newSigner, type Signer, signerOf } from './nkeys.ts';
import {
  type Account,
  accountOf,
  isBrowserOnly,
  keeperName,
  keeperPermissions,
  type Permissions,
  permissionsOf,
  sharedWithDesk,
} from './roles.ts';

/** Seeds of the NATS operator and its accounts. */
export interface JwtSeeds {
  /** The NATS operator and its system account are signed with this time for ever: no server takes other ones at a reload. */
  readonly since: string;
  readonly operator: string;
  readonly system: string;
  readonly crew: string;
  readonly desk: string;
}

export const newJwtSeeds = (now: Date): JwtSeeds => ({
  since: now.toISOString(),
  operator: newSigner('operator').seed,
  system: newSigner('account').seed,
  crew: newSigner('account').seed,
  desk: newSigner('account').seed,
});

/** A login carries the JWT with all permissions of its member in one line, which is longer than the default of 4 kB. */
const maxLoginBytes = 65_536;

interface Claims {
  readonly sub: string;
  readonly name: string;
  readonly nats: { readonly type: 'operator' | 'account' | 'user' } & Readonly<Record<string, unknown>>;
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = base64url({ typ: 'JWT', alg: 'ed25519-nkey' });

function token(claims: Claims, issuer: Signer, at: Date): string {
  const body = { iat: Math.floor(at.getTime() / 1_000), iss: issuer.key, ...claims, nats: { ...claims.nats, version: 2 } };
  const jti = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const text = `${head}.${base64url({ jti, ...body })}`;
  return `${text}.${issuer.sign(text)}`;
}

const unlimited = { subs: -1, data: -1, payload: -1 };
const accountLimits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const streamLimits = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** The JWT of a member. @param name of a member, or that of the key of the crew. */
function userToken(
  seeds: JwtSeeds,
  {
    name,
    key,
    account,
    permissions,
    isWeb,
  }: { name: string; key: string; account: Account; permissions: Permissions; isWeb: boolean },
  at: Date,
): string {
  const { publish, subscribe } = permissions;
  const rights = { pub: { allow: publish }, sub: { allow: subscribe } };
  const nats = { type: 'user' as const, ...unlimited, ...rights, ...(isWeb && { allowed_connection_types: ['WEBSOCKET'] }) };
  return token({ sub: key, name, nats }, signerOf(account === 'CREW' ? seeds.crew : seeds.desk), at);
}

export const memberToken = (subjects: Subjects, seeds: JwtSeeds, { name, key, roles }: Member, at: Date): string =>
  userToken(
    seeds,
    { name, key, account: accountOf(roles), permissions: permissionsOf(subjects, name, roles), isWeb: isBrowserOnly(roles) },
    at,
  );

/** The key of the crew logs in by a JWT that is made when it is needed. */
export const keeperToken = (subjects: Subjects, seeds: JwtSeeds, key: string, at: Date): string =>
  userToken(seeds, { name: keeperName, key, account: 'CREW', permissions: keeperPermissions(subjects), isWeb: false }, at);

/** The part of a nats-server configuration for these logins. It changes only with a revocation. */
export function jwtServerConfig(subjects: Subjects, seeds: JwtSeeds, list: MemberList, at: Date): string {
  const operator = signerOf(seeds.operator);
  const since = new Date(seeds.since);
  const [system, crew, desk] = [seeds.system, seeds.crew, seeds.desk].map((seed) => signerOf(seed).key) as [
    string,
    string,
    string,
  ];
  const shared = sharedWithDesk(subjects);
  const account = (sub: string, name: Account | 'SYS', more: object, limits: object = {}) => {
    const gone = name === 'SYS' ? {} : { revocations: revocations(list, name) };
    return token(
      { sub, name, nats: { type: 'account', ...more, ...gone, limits: { ...accountLimits, ...limits } } },
      operator,
      name === 'SYS' ? since : at,
    );
  };
  const exports = shared.map(({ kind, subject, manyReplies }) => ({
    name: subject,
    subject,
    type: kind,
    ...(kind === 'service' && { response_type: manyReplies ? 'Stream' : 'Singleton' }),
  }));
  const imports = shared.map(({ kind, subject }) => ({ name: subject, subject, account: crew, type: kind }));
  const config = {
    max_control_line: maxLoginBytes,
    operator: token(
      { sub: operator.key, name: subjects.namespace, nats: { type: 'operator', system_account: system } },
      operator,
      since,
    ),
    system_account: system,
    resolver: 'MEMORY',
    resolver_preload: {
      [system]: account(system, 'SYS', {}),
      [crew]: account(crew, 'CREW', { exports }, streamLimits),
      [desk]: account(desk, 'DESK', { imports }),
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Logins that were signed before the time of a revocation, in seconds since 1970, are refused. A later one is never made. */
function revocations({ members }: MemberList, account: Account): Record<string, number> {
  const gone = members.filter(({ revoked, roles }) => revoked !== undefined && accountOf(roles) === account);
  return Object.fromEntries(gone.map(({ key, revoked }) => [key, Math.ceil(Date.parse(revoked!) / 1_000)]));
}
