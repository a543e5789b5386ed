import type { Bus } from '../bus.ts';

/**
 * Whether a node does the chores of its crew: makes and purges streams, publishes lost tickets, cancels orphans. In a crew of one
 * user every node does; in a crew with roles only those with the role `supervisor`, since the others lack the permissions.
 */
export const doesChores = ({ team }: Pick<Bus, 'team'>): boolean => !team || team.is('supervisor');
