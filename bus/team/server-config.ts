/**
 * The part of a nats-server configuration that logs the members in by their nkeys: two accounts with users and permissions, and
 * the subjects that one shares with the other. The operator of the server includes the file in its own configuration.
 */
import type { Subjects } from '../subjects.ts';
import { type Member, type MemberList, present } from './members.ts';
import { accountOf, isBrowserOnly, keeperPermissions, type Permissions, permissionsOf, sharedWithDesk } from './roles.ts';

interface User {
  readonly nkey: string;
  readonly permissions: Permissions;
  readonly allowed_connection_types?: readonly string[];
}

/** @param crew public key of the crew. @returns the text of the file, in JSON, which nats-server reads. */
export function serverConfig(subjects: Subjects, crew: string, list: MemberList): string {
  const members = present(list);
  const usersOf = (account: 'CREW' | 'DESK') =>
    members.filter(({ roles }) => accountOf(roles) === account).map((member) => userOf(subjects, member));
  const shared = sharedWithDesk(subjects);
  const accounts = {
    CREW: {
      jetstream: 'enabled',
      users: [{ nkey: crew, permissions: keeperPermissions(subjects) }, ...usersOf('CREW')],
      exports: shared.map(({ kind, subject, manyReplies }) => ({
        [kind]: subject,
        ...(manyReplies && { response_type: 'stream' }),
      })),
    },
    DESK: {
      users: usersOf('DESK'),
      imports: shared.map(({ kind, subject }) => ({ [kind]: { account: 'CREW', subject } })),
    },
  };
  return `${JSON.stringify({ accounts }, null, 2)}\n`;
}

const userOf = (subjects: Subjects, { name, key, roles }: Member): User => ({
  nkey: key,
  permissions: permissionsOf(subjects, name, roles),
  ...(isBrowserOnly(roles) && { allowed_connection_types: ['WEBSOCKET'] }),
});
