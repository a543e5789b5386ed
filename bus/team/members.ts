/**
 * The list of the members of a crew, signed by the key of the crew. Whoever verifies a signature or a seal looks its signer up
 * here. A list with a higher version replaces an earlier one, wherever it came from: nobody but the keeper of the key of the crew
 * can make one.
 */
import { z } from 'zod';
import { CoxError } from '../../platform/errors.ts';
import { canonical } from './canonical.ts';
import { isSignedBy, type Signer } from './nkeys.ts';
import { Role } from './roles.ts';

/** A name is part of an inbox subject. */
export const MemberName = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'must consist of letters, digits, - and _, and start with a letter or digit');

export const Member = z.object({
  name: MemberName,
  key: z.string().regex(/^U[A-Z2-7]{55}$/, 'must be the public nkey of a user'),
  roles: z.array(Role).min(1),
  since: z.iso.datetime(),
  revoked: z.iso.datetime().optional().describe('The member does not belong to the crew any more since then.'),
});
export type Member = z.infer<typeof Member>;

const Listed = z.object({
  namespace: z.string(),
  version: z.number().int().positive(),
  members: z.array(Member).max(10_000),
});
/** On `cox.crew.members`, and in the files of the members. */
export const MemberList = Listed.extend({
  signature: z
    .string()
    .describe('Ed25519 in base64url, by the key of the crew, over `cox-members-1`, a line break, and the rest.'),
});
export type MemberList = z.infer<typeof MemberList>;

/** The names of the fields sorted, without `signature`. */
const textOf = ({ namespace, version, members }: z.infer<typeof Listed>): string =>
  `cox-members-1\n${canonical({ namespace, version, members })}`;

export const signedList = (list: z.infer<typeof Listed>, crew: Signer): MemberList => ({
  ...list,
  signature: crew.sign(textOf(list)),
});

/** @param crew public key of the crew. @returns null if the key of the crew has not signed this list for this namespace. */
export function checkedList(value: unknown, crew: string, namespace: string): MemberList | null {
  const { data } = MemberList.safeParse(value);
  if (!data || data.namespace !== namespace || !isSignedBy(crew, textOf(data), data.signature)) return null;
  return data;
}

/** A name is given once, because receipts name members for ever. @throws CoxError `bad-member`. */
export function withMember(list: MemberList, member: Member, crew: Signer): MemberList {
  const taken = list.members.find(({ name }) => name === member.name);
  if (taken)
    throw new CoxError(
      'bad-member',
      `${member.name} ${taken.revoked ? 'was a member until it was revoked' : 'is a member already'}`,
      { hint: 'Choose another name.' },
    );
  return signedList({ ...list, version: list.version + 1, members: [...list.members, member] }, crew);
}

/** @throws CoxError `unknown-member`. */
export function withoutMember(list: MemberList, name: string, at: string, crew: Signer): MemberList {
  const found = list.members.find((member) => member.name === name && !member.revoked);
  if (!found) {
    const names = list.members.filter(({ revoked }) => !revoked).map((member) => member.name);
    throw new CoxError('unknown-member', `${name} is not a member of the crew`, {
      hint: names.length > 0 ? `Members: ${names.join(', ')}.` : 'There are none.',
    });
  }
  const members = list.members.map((member) => (member === found ? { ...member, revoked: at } : member));
  return signedList({ ...list, version: list.version + 1, members }, crew);
}

export const present = ({ members }: MemberList): Member[] => members.filter(({ revoked }) => !revoked);
