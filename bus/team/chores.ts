import type { Bus } from '../bus.ts';

/**
 * Whether a node does the chores of its crew: makes and purges streams, publishes lost tickets, cancels orphans. In a crew of one
 * user every node does; in a crew with roles only those with the role `supervisor`, since the others lack the permissions.
 */
export const doesChores = ({ team }: Pick<Bus, 'team'>): boolean => !team || team.is('supervisor');

/**
 * Whether a member may host tasks. In a crew with roles, who may not has no access to the streams either and asks the nodes
 * (`bus/remote-crew.ts`).
 */
export const mayHost = ({ team }: Pick<Bus, 'team'>): boolean => !team || team.isHosting;
