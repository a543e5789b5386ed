/**
 * A crew with roles, as one member sees it: its own name, roles and key, and the list of members by which it judges the
 * signatures of others. A bus without a team belongs to one user, who may do everything.
 */
import type { MsgHdrs } from '@nats-io/nats-core';
import { CoxError } from '../../platform/errors.ts';
import type { Seal, SteeringType, TaskSpec } from '../messages.ts';
import { parentOf, type TaskId } from '../task-id.ts';
import type { MemberFile } from './crew-file.ts';
import { checkedList, type Member, type MemberList } from './members.ts';
import { type Signer, signerOf } from './nkeys.ts';
import { isHosting, type Role } from './roles.ts';
import { isSealOf, sealed } from './seal.ts';
import { fits, type Signable, signatureHeaders, signatureIn, signatureMs } from './signature.ts';

/** A message on a steering subject as the log has stored it. */
export interface StoredSteer {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly header?: MsgHdrs | undefined;
  /** The time of the server that stored it. */
  readonly time: Date;
}

export type Sender = { readonly by: string; readonly problem: null } | { readonly problem: string };

/** A goal relays these to its sub-tasks, and a sweep cancels sub-tasks whose goal has ended. */
const relayed: readonly SteeringType[] = ['steer', 'allow', 'pause', 'resume', 'cancel'];

const howToSign = 'in this crew an operator signs what it sends: use cox with a crew file, or see docs/protocol';

export class Team {
  readonly namespace: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly #crew: string;
  readonly #signer: Signer;
  #list: MemberList;

  /** @throws CoxError `bad-crew-file` if the key of the crew has not signed the list, or the list lacks this member. */
  constructor({ crew, namespace, name, seed, list }: MemberFile) {
    const checked = checkedList(list, crew, namespace);
    this.#signer = signerOf(seed);
    const self = checked?.members.find(({ key }) => key === this.#signer.key);
    if (!checked || self?.name !== name)
      throw new CoxError('bad-crew-file', `The crew file of ${name} is damaged: its list of members does not fit it`, {
        hint: 'Ask the keeper of the crew for a new one (cox crew invite).',
      });
    this.#crew = crew;
    this.#list = checked;
    this.namespace = namespace;
    this.name = name;
    this.roles = self.roles;
  }

  is(role: Role): boolean {
    return this.roles.includes(role);
  }

  /** Whether this member may host tasks. It then reads the streams; any other member asks the nodes. */
  get isHosting(): boolean {
    return isHosting(this.roles);
  }

  /** Whether this member may host tasks of a type. */
  hosts(type: string): boolean {
    return this.is(type === 'supervisor' ? 'supervisor' : 'worker');
  }

  /** @param deed completes "may not …". @throws CoxError `role-denied`. */
  require(role: Role, deed: string): void {
    if (!this.is(role)) throw this.denied(deed, `It takes the role ${role}.`);
  }

  denied(deed: string, hint: string, cause?: unknown): CoxError {
    const [are, roles] = [this.roles.length > 1 ? 'roles' : 'role', this.roles.join(', ')];
    return new CoxError('role-denied', `${this.name} may not ${deed} with the ${are} ${roles}`, { hint, cause });
  }

  get list(): MemberList {
    return this.#list;
  }

  /**
   * Takes a list that the key of the crew has signed and that is newer.
   * @returns how it compares with the list that was known. A value that is no list of this crew is `older`.
   */
  learn(value: unknown): 'newer' | 'same' | 'older' {
    const list = checkedList(value, this.#crew, this.namespace);
    if (list?.version === this.#list.version) return 'same';
    if (!list || list.version < this.#list.version) return 'older';
    this.#list = list;
    return 'newer';
  }

  /** The headers that sign a steer of this member. */
  signed(message: Signable, at: Date): [name: string, value: string][] {
    return signatureHeaders(message, this.#signer, at);
  }

  /**
   * Tells the sender of a steer, or why it does not count. The answer follows from the message, the time at which it was stored
   * and the list of members, so every node gives the same one, also after a crash.
   * @param id the task that is steered; null: no task has this subject.
   */
  senderOf({ subject, data, header, time }: StoredSteer, id: TaskId | null, type: SteeringType | undefined): Sender {
    const no = (problem: string): Sender => ({ problem });
    const signature = signatureIn(header);
    if (!signature) return no(`it is not signed: ${howToSign}`);
    const msgId = header?.get('Nats-Msg-Id') ?? '';
    if (!msgId) return no('a signed message needs a Nats-Msg-Id, so that a copy of it counts once');
    const member = this.#memberWith(signature.key);
    if (!member) return no('the key that signed it belongs to no member of the crew');
    const { name } = member;
    if (!fits({ subject, msgId, body: data }, signature)) return no(`its signature is not that of ${name} for this message`);
    if (isRevokedAt(member, time)) return no(`${name} was removed from the crew before it was sent`);
    const apartMs = Math.abs(time.getTime() - Date.parse(signature.time));
    // A time that cannot be parsed is NaN, which is not within the limit.
    if (!(apartMs <= signatureMs))
      return no(`it was signed more than ${signatureMs / 60_000} minutes before or after it was stored: send it anew`);
    return mayNot(member, id, type) ?? { by: name, problem: null };
  }

  /** Seals an order of this member. @throws CoxError `role-denied`. */
  seal(id: TaskId, spec: TaskSpec, now: Date): Seal {
    this.require(sealerOf(id), parentOf(id) === null ? 'dispatch a task' : 'dispatch a sub-task');
    return sealed({ namespace: this.namespace, id, spec }, this.#signer, now);
  }

  /** @returns why a task is not to be run; null if whoever may order it has ordered it with this specification. */
  sealProblem(id: TaskId, spec: TaskSpec, seal: Seal | undefined): string | null {
    if (!seal) return 'its order is not sealed';
    const member = this.#memberWith(seal.key);
    if (!member) return 'its order is sealed by a key of no member of the crew';
    const { name } = member;
    if (!isSealOf({ namespace: this.namespace, id, spec }, seal)) return `its order is not the one that ${name} has sealed`;
    if (isRevokedAt(member, new Date(seal.at))) return `${name}, who has sealed its order, was removed from the crew before`;
    const wanted = sealerOf(id);
    return member.roles.includes(wanted) ? null : `${name}, who has sealed its order, does not have the role ${wanted}`;
  }

  #memberWith(key: string): Member | undefined {
    return this.#list.members.find((member) => member.key === key);
  }
}

const sealerOf = (id: TaskId): Role => (parentOf(id) === null ? 'operator' : 'supervisor');

const isRevokedAt = ({ revoked }: Member, time: Date): boolean => revoked !== undefined && time.getTime() >= Date.parse(revoked);

function mayNot({ name, roles }: Member, id: TaskId | null, type: SteeringType | undefined): Sender | null {
  if (roles.includes('operator')) return null;
  const relays = roles.includes('supervisor') && id !== null && parentOf(id) !== null;
  if (relays && (type === undefined || relayed.includes(type))) return null;
  return { problem: `${name} may not send it: it takes the role operator` };
}
