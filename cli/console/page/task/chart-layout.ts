/** Places a chart by elkjs. It is large, so it is a chunk of its own, which the page loads when a chart is looked at. */
import { type Layout, layOut } from '../../../chart/layout.ts';
import { type Definition, pictureOf } from './chart-picture.ts';

const known = new Map<string, Promise<Layout>>();

/** @param version of the chart: the same chart is placed once. */
export function layoutOf(definition: Definition, version: number): Promise<Layout> {
  const name = `${definition.id} ${version}`;
  const found = known.get(name) ?? layOut(pictureOf(definition));
  known.set(name, found);
  return found;
}
