/** The members of a crew with roles as a list. */
import type { Member } from '../../bus/team/members.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { timeAndAge } from './times.ts';

export function memberLines(members: readonly Member[], now: Date, paint: Paint): string[] {
  if (members.length === 0) return ['There are no members. Invite one: cox crew invite <name> --roles <roles>.'];
  const names = members.map(({ name }) => oneLine(name, 32));
  const width = Math.max(...names.map((name) => name.length));
  return members.map(({ roles, since, revoked }, at) => {
    const when = revoked ? `revoked ${timeAndAge(revoked, now)}` : `since ${timeAndAge(since, now)}`;
    const line = `${paint.bold(names[at]!.padEnd(width))}  ${roles.join(', ')}, ${when}`;
    return revoked ? paint.dim(line) : line;
  });
}
