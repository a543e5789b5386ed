/** The charts of the house, each with its page and its picture in docs/diagrams, and the picture of a sub-agent’s life. */
import { charts } from '../../actors/inspect/charts.ts';
import { svgOf } from '../../cli/chart/chart-svg.ts';
import { chartPicture } from '../../machines/chart/chart-picture.ts';
import type { Picture } from '../../machines/chart/picture.ts';
import { subAgent } from '../../machines/sub-agent.ts';
import { pageOf } from './diagram.ts';
import { lifePicture } from './life-picture.ts';

export const pictures: Readonly<Record<string, Picture>> = {
  ...Object.fromEntries(charts.map(({ machine, direction }) => [machine.id, chartPicture(machine, direction)])),
  'sub-agent-life': lifePicture(subAgent),
};

/** File name in docs/diagrams → text. */
export async function files(): Promise<Record<string, string>> {
  const pages = charts.map(({ machine, file }) => [`${machine.id}.md`, pageOf(machine, file)]);
  const svgs = await Promise.all(
    Object.entries(pictures).map(async ([name, picture]) => {
      const { light, dark } = await svgOf(picture);
      return [
        [`${name}.svg`, light],
        [`${name}-dark.svg`, dark],
      ];
    }),
  );
  return Object.fromEntries([...pages, ...svgs.flat()]);
}
