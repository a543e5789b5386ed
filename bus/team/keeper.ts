/**
 * The keeper of a crew with roles makes and removes its members (docs/operations.md). Everything is in one folder: the file of the
 * keeper with the key of the crew, the part of the server's configuration, and the files to be given to the members.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CoxError } from '../../platform/errors.ts';
import { Subjects } from '../subjects.ts';
import { KeeperFile, type MemberFile, readCrewFile, writeSecret } from './crew-file.ts';
import { jwtServerConfig, memberToken, newJwtSeeds } from './jwt.ts';
import { Member, type MemberList, signedList, withMember, withoutMember } from './members.ts';
import { newSigner, type Signer, signerOf } from './nkeys.ts';
import type { Role } from './roles.ts';
import { serverConfig } from './server-config.ts';

export interface NewCrew {
  readonly namespace: string | undefined;
  /** Goes into the files of the members, so that they need no NATS_URL. */
  readonly url: string | undefined;
  /** Whether members log in by JWTs instead of by nkeys that the server's configuration lists. */
  readonly jwt: boolean;
}

const keeperFile = 'keeper.json';

export class Keeper {
  readonly folder: string;
  readonly subjects: Subjects;
  readonly #file: Omit<KeeperFile, 'list'>;
  readonly #crew: Signer;
  readonly #now: () => Date;
  #list: MemberList;

  private constructor(folder: string, { list, ...file }: KeeperFile, now: () => Date) {
    this.folder = folder;
    this.subjects = new Subjects(file.namespace);
    this.#file = file;
    this.#crew = signerOf(file.seed);
    this.#list = list;
    this.#now = now;
  }

  /** @throws CoxError `bad-crew-folder` if the folder has a crew already; `bad-namespace`. */
  static init(folder: string, { namespace, url, jwt }: NewCrew, now = () => new Date()): Keeper {
    if (existsSync(join(folder, keeperFile)))
      throw new CoxError('bad-crew-folder', `There is a crew in ${folder} already`, {
        hint: 'Invite members to it, or name another folder: --dir <folder>.',
      });
    const crew = newSigner('user');
    const named = new Subjects(namespace).namespace;
    const list = signedList({ namespace: named, version: 1, members: [] }, crew);
    const secrets = { seed: crew.seed, ...(jwt && { jwt: newJwtSeeds(now()) }) };
    const keeper = new Keeper(folder, { namespace: named, ...(url && { url }), ...secrets, list }, now);
    keeper.#write();
    return keeper;
  }

  /** @throws CoxError `bad-crew-file`. */
  static open(folder: string, now = () => new Date()): Keeper {
    return new Keeper(folder, readCrewFile(KeeperFile, join(folder, keeperFile))!, now);
  }

  get list(): MemberList {
    return this.#list;
  }

  /** The login with which the key of the crew publishes the list. */
  get login() {
    const { url, seed, jwt } = this.#file;
    return { crew: this.#crew.key, url, seed, jwt };
  }

  /** The file of the server's configuration to include. */
  get configFile(): string {
    return join(this.folder, 'accounts.conf');
  }

  /** Whether the server must load its configuration again when a member is invited. */
  get isListedAtServer(): boolean {
    return !this.#file.jwt;
  }

  /** @returns the path of the new member's file. @throws CoxError `bad-member`. */
  invite(name: string, roles: readonly Role[]): string {
    const signer = newSigner('user');
    const at = this.#now();
    const parsed = Member.safeParse({ name, key: signer.key, roles: [...new Set(roles)], since: at.toISOString() });
    if (!parsed.success)
      throw new CoxError('bad-member', `"${name.slice(0, 64)}" cannot be the name of a member`, {
        hint: 'At most 32 letters, digits, - and _.',
      });
    this.#list = withMember(this.#list, parsed.data, this.#crew);
    this.#write();
    const { namespace, url, jwt } = this.#file;
    const file: MemberFile = {
      ...{ crew: this.#crew.key, namespace, ...(url && { url }), name, seed: signer.seed },
      ...(jwt && { jwt: memberToken(this.subjects, jwt, parsed.data, at) }),
      list: this.#list,
    };
    const path = join(this.folder, `${name}.crew.json`);
    writeSecret(path, `${JSON.stringify(file, null, 2)}\n`);
    return path;
  }

  /** @throws CoxError `unknown-member`. */
  revoke(name: string): void {
    this.#list = withoutMember(this.#list, name, this.#now().toISOString(), this.#crew);
    this.#write();
  }

  /** Writes the configuration anew: a later version of Coxswain may give the roles other permissions. */
  renew(): void {
    this.#write();
  }

  #write(): void {
    const { seed, jwt } = this.#file;
    const list = this.#list;
    writeSecret(join(this.folder, keeperFile), `${JSON.stringify({ ...this.#file, list }, null, 2)}\n`);
    const config = jwt
      ? jwtServerConfig(this.subjects, jwt, list, this.#now())
      : serverConfig(this.subjects, signerOf(seed).key, list);
    writeSecret(this.configFile, config);
  }
}
